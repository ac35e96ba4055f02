"""What the kernel limits for the process in the sandbox, set by itself before any foreign code."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from typing import Any

MEGABYTE = 1 << 20
OPEN_FILES = 256
PR_SET_PDEATHSIG = 1
CAPABILITY_VERSION = 0x20080522


def die_with(parent: int) -> None:
    """End with the process `parent` that started this one, however it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def drop_privileges(uid: int) -> None:
    """Become user and group `uid` for good, with no other group and no capability."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    # What could be inherited stays when the user changes. Version 3, this thread; nothing of all.
    header, nothing = struct.pack("=Ii", CAPABILITY_VERSION, 0), bytes(24)
    c = ctypes.CDLL(None, use_errno=True)
    if c.capset(header, nothing):
        raise OSError(ctypes.get_errno(), "the kernel refused to take the capabilities away")


def apply(limits: dict[str, Any], tasks: int) -> None:
    """Set the limits of this process and of all that come from it.

    `tasks` is the number of processes and threads that its user may have. RLIMIT_DATA rather than
    RLIMIT_AS: it counts what can be written to privately, and not the address space that BLAS,
    Arrow and the allocator only reserve.
    """
    hard = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: limits["file_mb"] * MEGABYTE,
        resource.RLIMIT_DATA: limits["memory_mb"] * MEGABYTE,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_NPROC: tasks,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for which, value in hard.items():
        _, most = resource.getrlimit(which)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(which, (value, value))


def allow_cpu(seconds: float) -> None:
    """Let this process use `seconds` more of CPU time; then SIGXCPU ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    if most != resource.RLIM_INFINITY:
        soft = min(soft, most)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, most))
