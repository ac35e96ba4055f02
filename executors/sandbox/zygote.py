"""The zygote of this process: a Python with the packages loaded, copies of which enter sandboxes.

bubblewrap makes each sandbox as ever, with a process in it that only waits; a copy of the zygote
joins it (see `inside.zygote`). Whoever is a fork of the process that started the zygote may ask
it too: a request is one message, with all that belongs to it. Only for root: others may not join.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import IO

from executors.sandbox import bubblewrap_command as bwrap
from executors.sandbox import interpreter, processes
from executors.sandbox.base import Limits, SandboxStartError
from executors.sandbox.bubblewrap_jail import START_S, BubblewrapJail, start
from executors.sandbox.worker import START_S as PACKAGES_S
from executors.sandbox.worker import Channels

NAMESPACES = ("ipc", "net", "uts", "cgroup", "pid", "mnt")
"""As the kernel calls them below /proc/<pid>/ns; the file system last."""
WAITING = """
import os, signal
os.setgroups([])
os.setresgid({nobody}, {nobody}, {nobody})
os.setresuid({nobody}, {nobody}, {nobody})
os.write(1, b"here")
while True:
    signal.pause()
"""


class ZygoteGoneError(Exception):
    """The zygote does not answer: a worker has to be started in the ordinary way."""


@dataclass(frozen=True)
class Zygote:
    """A running zygote: our end of its channel, and its process where it is our child."""

    channel: socket.socket
    process: subprocess.Popen[bytes] | None = None


_running: Zygote | None = None


def begin() -> bool:
    """Start the zygote of this process, and of those that are forked from it; it loads meanwhile.

    False where it cannot be had: not root, or no bubblewrap.
    """
    global _running
    program = shutil.which("bwrap")
    if _running is not None or os.geteuid() != 0 or program is None:
        return _running is not None
    python = interpreter.current()
    made = bwrap.Plan(python, Limits(), masks=bwrap.masks(python), system=bwrap.system_libraries())
    packages = [f"/packages/{i}" for i in range(len(python.packages))]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        argument = json.dumps({"zygote": theirs.fileno(), "packages": packages})
        process = subprocess.Popen(
            bwrap.zygote_command(made, ("-m", "inside", argument)),
            executable=program,
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    _running = Zygote(ours, process)
    return True


def use(channel: socket.socket) -> None:
    """Ask the zygote of another process, whose channel this is."""
    global _running
    _running = Zygote(channel)


def channel() -> socket.socket | None:
    """What a process of ours that is no fork needs to ask; multiprocessing can pickle it."""
    return None if _running is None else _running.channel


def end() -> None:
    """Let it go; sandboxes that are open stay open."""
    global _running
    if _running is not None:
        _running.channel.close()
        if _running.process is not None:
            _running.process.terminate()
            _running.process.wait()
    _running = None


def current() -> Zygote | None:
    """The zygote that can be asked here, if there is one."""
    return _running


class Copy:
    """A process that is not our child, as `base.Process`: its keeper, `pid`, says how it ended."""

    def __init__(self, status: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]) -> None:
        """Waits for the keeper's process id, the first line in `status`; ZygoteGoneError."""
        self.stdout, self.stderr = stdout, stderr
        self._status, self._text = status, b""
        self._code: int | None = None
        self._lock = threading.Lock()  # the watchdog asks as well
        os.set_blocking(status.fileno(), False)
        until = time.monotonic() + PACKAGES_S
        while b"\n" not in self._text:
            if self._code is not None or time.monotonic() > until:
                raise ZygoteGoneError
            self._listen(until - time.monotonic())
        self.pid = int(self._text.split()[0])

    def poll(self) -> int | None:
        """How it ended; None while it lives."""
        self._listen(0.0)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """The same, when it has ended; subprocess.TimeoutExpired."""
        until = time.monotonic() + (threading.TIMEOUT_MAX if timeout is None else timeout)
        while self._code is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("a copy of the zygote", timeout or 0.0)
            self._listen(min(1.0, until - time.monotonic()))
        return self._code

    def close(self) -> None:
        """Stop listening to its keeper: whatever it was, it is over."""
        with self._lock:
            self._status.close()
            if self._code is None:
                self._code = -signal.SIGKILL

    def _listen(self, seconds: float) -> None:
        """Take what the keeper says within `seconds`."""
        if self._code is None and not self._status.closed:
            select.select([self._status], [], [], max(0.0, seconds))
        with self._lock:
            if self._code is not None or self._status.closed:
                return
            data = self._status.read(64)
            self._text += data or b""
            lines = self._text.split(b"\n")
            if len(lines) > 2:
                self._code = int(lines[1])
            elif data == b"":  # the keeper was killed, and what it kept with it
                self._code = -signal.SIGKILL


class JoinedJail:
    """See `worker.Jail`: a sandbox of bubblewrap, and the copy that joined it."""

    def __init__(self, jail: BubblewrapJail, waiting: list[int], copy: Copy) -> None:
        self._jail, self._waiting, self.process = jail, frozenset(waiting), copy
        self.inputs: Mapping[str, str] = jail.inputs

    def members(self, most: int) -> list[int]:
        """Processes in the PID namespace, without its first, the one that waits and the keeper."""
        left = processes.descendants(self._jail.first, most + len(self._waiting))
        found = [pid for pid in left if pid not in self._waiting]
        if self.process.poll() is None:
            found += processes.descendants(self.process.pid, most)
        return found[: most + 1]

    def end(self) -> None:
        """Kill the first process in the namespace, and all others with it."""
        _end(self._jail)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        self.process.close()


def launch(
    zygote: Zygote, made: bwrap.Plan, code: bytes, setup: interpreter.Setup, channels: Channels
) -> JoinedJail:
    """An empty sandbox, and a copy of the zygote in it; ZygoteGoneError, SandboxStartError."""
    arguments = ("-I", "-c", WAITING.format(nobody=bwrap.NOBODY))
    jail = start(made, code, arguments, ())
    with ExitStack() as undo:
        undo.callback(_end, jail)
        _wait(jail)
        waiting = processes.descendants(jail.first, made.limits.processes)
        copy = _join(zygote, jail, setup, channels)
        undo.pop_all()
    return JoinedJail(jail, waiting, copy)


def _end(jail: BubblewrapJail) -> None:
    jail.end()
    for stream in (jail.process.stdout, jail.process.stderr):
        if stream is not None:
            stream.close()


def _wait(jail: BubblewrapJail) -> None:
    """Return when bubblewrap has made the sandbox."""
    out, said = jail.process.stdout, jail.process.stderr
    assert out is not None
    assert said is not None
    if not select.select([out], [], [], START_S)[0] or out.read(4) != b"here":
        jail.end()  # its last words have an end then
        raise SandboxStartError(f"bubblewrap made no sandbox, it said {said.read()[-800:]!r}")


def _join(
    zygote: Zygote, jail: BubblewrapJail, setup: interpreter.Setup, channels: Channels
) -> Copy:
    request = json.loads(setup.argument({})) | {"folder": bwrap.WORK, "keeper": bwrap.NOBODY}
    with ExitStack() as ours, ExitStack() as theirs:
        ends = []
        files = [channels.control, channels.input, channels.output]
        for _ in ("stdout", "stderr", "status"):
            read, write = os.pipe()
            theirs.callback(os.close, write)
            ends.append(ours.enter_context(os.fdopen(read, "rb", buffering=0)))
            files.append(write)
        for name in NAMESPACES:
            files.append(os.open(f"/proc/{jail.first}/ns/{name}", os.O_RDONLY))
            theirs.callback(os.close, files[-1])
        try:
            socket.send_fds(zygote.channel, [json.dumps(request).encode()], files)
        except OSError:
            raise ZygoteGoneError from None
        theirs.close()  # else the end of the keeper could not be seen
        out, said, status = ends
        copy = Copy(status, out, said)
        ours.pop_all()
    return copy
