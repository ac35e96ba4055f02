"""A clear message for what the sandbox forbids: a hook on Python's audit events.

It explains, it does not protect: code that goes around Python meets the namespaces, the mounts
and the filter of system calls, whose errors say less. Where there is none of these (the plain
sandbox) it is all there is for files.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

NETWORK = ("socket.", "urllib.", "http.client.", "ftplib.", "smtplib.", "poplib.", "imaplib.")
PROGRAMS = frozenset(
    ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.forkpty")
)
READING = frozenset(["os.listdir", "os.scandir", "os.chdir", "os.walk"])
WRITING = frozenset(
    ("os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.chown", "os.utime")
)
WRITING_TWO = frozenset(["os.rename", "os.link", "os.symlink"])
WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

PERSONAL = ("/etc", "/root", "/home", "/proc", "/sys", "/var", "/run", "/boot")
"""Reading there is an attempt at something, even where nothing is there to read."""
HARMLESS = (
    "/etc/localtime", "/etc/timezone", "/etc/mime.types", "/proc/cpuinfo", "/proc/meminfo",
    "/proc/stat", "/proc/self", "/proc/sys/vm", "/sys/devices/system/cpu", "/sys/fs/cgroup",
    "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random",
)  # fmt: skip
"""What numerical libraries look up about the machine."""

MAX_KEPT = 20


class SandboxViolation(PermissionError):  # noqa: N818  (the word of the design)
    """The solution tried something that the sandbox forbids."""

    __module__ = "builtins"  # so that tracebacks call it by its plain name


class Rules:
    """Where a solution may read and write, and what it tried elsewhere."""

    def __init__(self, readable: list[str], writable: list[str]) -> None:
        self.writable = tuple(writable)
        self.readable = (*readable, *writable, *HARMLESS)
        self.attempts: list[str] = []
        self.parent = os.getppid()

    def install(self) -> None:
        """Start watching; there is no way back."""
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge one event; SandboxViolation for one that is forbidden."""
        if event == "open":
            path, mode, flags = arguments
            writes = any(c in (mode or "") for c in "wax+") or bool((flags or 0) & WRITE_FLAGS)
            self.file(path, writes)
        elif event.startswith(NETWORK):
            self.network(event, arguments)
        elif event in PROGRAMS:
            self.forbid(f"starting a program ({event} {arguments[0]!r:.80})")
        elif event in READING:
            self.file(arguments[0], False)
        elif event in WRITING:
            self.file(arguments[0], True)
        elif event in WRITING_TWO:
            self.file(arguments[1], True)
            if event == "os.rename":
                self.file(arguments[0], True)
        elif event in ("os.kill", "os.killpg") and (
            arguments[0] <= 1 or arguments[0] == self.parent
        ):
            self.forbid(f"a signal to other processes ({event} {arguments[0]})")

    def network(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge one event of the network: pairs of sockets within the process are no network.

        An event loop has such a pair (uproot reads through one), and only the kernel can tell it
        from a new socket: it denies those.
        """
        local = event == "socket.__new__" and arguments[1] == socket.AF_UNIX
        if not local and event != "socket.gethostname":
            self.forbid(f"the network ({event})")

    def file(self, path: Any, writes: bool) -> None:
        """Judge one path: a number is a file that is open already."""
        if path is None or isinstance(path, int):
            return
        name = os.path.abspath(os.fsdecode(path))
        if writes:
            if not within(name, (*self.writable, "/dev/null")):
                self.forbid(f"writing {name!r}")
        elif not within(name, self.readable) and (within(name, PERSONAL) or os.path.lexists(name)):
            self.forbid(f"reading {name!r}")

    def forbid(self, what: str) -> None:
        """Remember the attempt and stop it."""
        if len(self.attempts) < MAX_KEPT:
            self.attempts.append(what[:200])
        raise SandboxViolation(f"the sandbox does not allow {what}")


def within(path: str, folders: tuple[str, ...]) -> bool:
    """Whether `path` is one of `folders` or lies below one."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
