"""The command line of bubblewrap: namespaces, and a file system made of a few read-only mounts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from executors.sandbox import interpreter
from executors.sandbox.base import Limits

NOBODY = 65534

SOLUTION = "/solution/solution.py"
WORK, TEMPORARY, SHARED = "/work", "/tmp", "/dev/shm"
SHARED_BYTES = 16 << 20
READABLE = ("/python", "/packages", "/inputs", "/solution", "/worker", "/usr", "/lib", "/lib64")
DEVICES = ("null", "zero", "random", "urandom")
JOINING = ("CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
"""What joining a namespace, and giving up all of these afterwards, asks for."""
SYSTEM_LIBRARIES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64")


@dataclass(frozen=True)
class Plan:
    """Everything that the command line depends on."""

    python: interpreter.Interpreter
    limits: Limits
    readonly: Mapping[str, Path] = field(default_factory=dict)
    uid: int | None = None
    """A user that nobody else is, to be taken inside by root; None: a user namespace instead."""
    masks: tuple[str, ...] = ()
    """Folders inside that must look empty."""
    system: tuple[tuple[str, str | None], ...] = ()
    """Folders of system libraries; with the target where it is a link."""


def command(plan: Plan, code_fd: int, info_fd: int | None, arguments: tuple[str, ...]) -> list[str]:
    """The bwrap command line that runs Python with `arguments`; pure.

    `code_fd` is an open file with the solution's code, `info_fd` takes the id of the first process.
    """
    line = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    line += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if plan.uid is None:
        line += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
    else:
        line += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    line += ["--hostname", "sandbox", *_environment(plan), *_packages(plan)]
    for name, path in sorted(plan.readonly.items()):
        line += ["--ro-bind", str(path), f"/inputs/{name}"]
    line += ["--perms", "0444", "--ro-bind-data", str(code_fd), SOLUTION]
    line += _devices()
    writable = plan.limits.writable_mb << 20
    for folder, size in ((SHARED, SHARED_BYTES), (TEMPORARY, writable), (WORK, writable)):
        line += ["--perms", "1777", "--size", str(size), "--tmpfs", folder]
    line += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK]
    if info_fd is not None:
        line += ["--info-fd", str(info_fd)]
    return [*line, "--", "/python/bin/python3", *interpreter.FLAGS, *arguments]


def zygote_command(plan: Plan, arguments: tuple[str, ...]) -> list[str]:
    """The bwrap command line of the zygote, which sees the same packages in the same places; pure.

    It keeps what is needed to join the namespaces of sandboxes, and shares the machine's processes
    with us; a solution never runs in it.
    """
    line = ["bwrap", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    for capability in JOINING:
        line += ["--cap-add", capability]
    line += [*_environment(plan), *_packages(plan), *_devices()]
    line += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return [*line, "--", "/python/bin/python3", *interpreter.FLAGS, *arguments]


def _environment(plan: Plan) -> list[str]:
    variables = interpreter.environment(WORK, TEMPORARY) | {
        "PYTHONHOME": "/python",
        "PYTHONPATH": "/worker",
        "LD_LIBRARY_PATH": ":".join(f"/python/{folder.name}" for folder in plan.python.libraries),
    }
    line = ["--clearenv"]
    for name, value in sorted(variables.items()):
        line += ["--setenv", name, value]
    return line


def _packages(plan: Plan) -> list[str]:
    """Python and what is installed for it, read-only."""
    line: list[str] = []
    for folder in (
        "/usr",
        "/python",
        "/python/bin",
        "/packages",
        "/worker",
        "/inputs",
        "/solution",
    ):
        line += ["--perms", "0755", "--dir", folder]
    for folder, target in plan.system:
        line += ["--ro-bind", folder, folder] if target is None else ["--symlink", target, folder]
    line += ["--ro-bind", str(plan.python.executable), "/python/bin/python3"]
    for library in plan.python.libraries:
        line += ["--ro-bind", str(library), f"/python/{library.name}"]
    for index, packages in enumerate(plan.python.packages):
        line += ["--ro-bind", str(packages), f"/packages/{index}"]
    for mask in plan.masks:
        line += ["--perms", "0555", "--size", "4096", "--tmpfs", mask, "--remount-ro", mask]
    return [*line, "--ro-bind", str(interpreter.PROGRAM), "/worker/inside"]


def _devices() -> list[str]:
    line = ["--perms", "0755", "--size", "65536", "--tmpfs", "/dev"]
    for device in DEVICES:
        line += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    return line


def masks(python: interpreter.Interpreter) -> tuple[str, ...]:
    """Folders to hide: packages beside the standard library, and ours beside the others."""
    found = []
    for library in python.libraries:
        for folder in sorted(library.glob("python3*/site-packages")):
            found.append(f"/python/{folder.relative_to(library.parent).as_posix()}")
    for index, packages in enumerate(python.packages):
        found += [f"/packages/{index}/{ours}" for ours in interpreter.OURS
                  if (packages / ours).is_dir()]  # fmt: skip
    return tuple(found)


def system_libraries() -> tuple[tuple[str, str | None], ...]:
    """The folders where this machine keeps the C library, and where links among them lead."""
    return tuple(
        (name, os.readlink(name) if os.path.islink(name) else None)
        for name in SYSTEM_LIBRARIES
        if os.path.isdir(name)
    )
