"""A filter of system calls: no network, no new namespaces, no memory that nobody counts.

The kernel enforces it, on this process and all that come from it. Denied calls return EPERM
("Operation not permitted"). Only what no analysis needs is denied.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys
from collections.abc import Iterable

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
"""Offsets in struct seccomp_data; the first argument's low half on a little-endian machine."""

NEW_NAMESPACE = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET together."""
NEW_THREAD = 0x00010000
"""CLONE_THREAD: a thread of this process, not a process."""
X32 = 0x40000000
"""Bit of the second, 32-bit table of system calls on x86_64."""
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
SECCOMP_SET_MODE_FILTER, ALL_THREADS = 1, 1

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_NEW = {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
        "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
        "pidfd_getfd": 438, "mount_setattr": 442, "memfd_secret": 447}  # fmt: skip
"""Since Linux 5.1 a new call has the same number everywhere."""

DENIED = {
    "x86_64": {"socket": 41, "ptrace": 101, "shmget": 29, "semget": 64, "msgget": 68,
               "personality": 135, "pivot_root": 155, "chroot": 161, "acct": 163, "mount": 165,
               "umount2": 166, "swapon": 167, "reboot": 169, "quotactl": 179, "mq_open": 240,
               "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
               "unshare": 272, "perf_event_open": 298, "name_to_handle_at": 303,
               "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310,
               "process_vm_writev": 311, "kcmp": 312, "memfd_create": 319, "bpf": 321,
               "userfaultfd": 323, **_NEW},
    "aarch64": {"socket": 198, "ptrace": 117, "shmget": 194, "semget": 190, "msgget": 186,
                "personality": 92, "pivot_root": 41, "chroot": 51, "acct": 89, "mount": 40,
                "umount2": 39, "swapon": 224, "reboot": 142, "quotactl": 60, "mq_open": 180,
                "kexec_load": 104, "add_key": 217, "request_key": 218, "keyctl": 219,
                "unshare": 97, "perf_event_open": 241, "name_to_handle_at": 264,
                "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270,
                "process_vm_writev": 271, "kcmp": 272, "memfd_create": 279, "bpf": 280,
                "userfaultfd": 282, **_NEW},
}  # fmt: skip
"""Numbers from the kernel's unistd.h (checked against it by a test where it is installed)."""

SIGNALS = {
    "x86_64": {"kill": 62, "tkill": 200, "tgkill": 234},
    "aarch64": {"kill": 129, "tkill": 130, "tgkill": 131},
}
QUEUED_SIGNALS = {
    "x86_64": {"rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297},
    "aarch64": {"rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240},
}
PIDFD = {"pidfd_send_signal": 424, "pidfd_open": 434}
FORK = {"x86_64": {"fork": 57, "vfork": 58}, "aarch64": {}}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
PRCTL = {"x86_64": 157, "aarch64": 167}
SECCOMP = {"x86_64": 317, "aarch64": 277}

Instruction = tuple[int, int, int, int]


def supported(machine: str | None = None) -> bool:
    """Whether this machine can have the filter."""
    return sys.platform == "linux" and (machine or platform.machine()) in AUDIT_ARCH


def program(machine: str, own_pid: int | None, new_processes: bool) -> list[Instruction]:
    """The filter for `machine` as instructions of the kernel's packet filter.

    With `own_pid` (where there is no PID namespace of our own) signals can go to that process
    only, and its tie to the parent's life cannot be undone. Without `new_processes` there can be
    threads, but no fork.
    """
    lines: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, AUDIT_ARCH[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, ENOSYS),
    ]
    denied = dict(DENIED[machine])
    if own_pid is not None:
        denied |= QUEUED_SIGNALS[machine] | PIDFD
    if not new_processes:
        denied |= FORK[machine]
    lines += _each(sorted(denied.values()), EPERM)
    # The C library falls back to clone, whose flags the filter can read.
    lines += _each([CLONE3], ENOSYS)
    flags = [(ANY_BIT, 0, 1, NEW_NAMESPACE)]
    if not new_processes:
        flags.append((ANY_BIT, 1, 0, NEW_THREAD))
    lines += _argument(CLONE[machine], *flags)
    if own_pid is not None:
        for number in SIGNALS[machine].values():
            lines += _argument(number, (EQUAL, 1, 0, own_pid))
        lines += _argument(PRCTL[machine], (EQUAL, 0, 1, PR_SET_PDEATHSIG))
    return [*lines, (RETURN, 0, 0, ALLOW)]


def _each(numbers: Iterable[int], answer: int) -> list[Instruction]:
    lines: list[Instruction] = []
    for number in numbers:
        lines += [(EQUAL, 0, 1, number), (RETURN, 0, 0, answer)]
    return lines


def _argument(number: int, *tests: Instruction) -> list[Instruction]:
    """Deny call `number` unless each of `tests` of its first argument jumps over the next line."""
    lines: list[Instruction] = [(LOAD, 0, 0, FIRST_ARGUMENT)]
    for test in tests:
        lines += [test, (RETURN, 0, 0, EPERM)]
    lines.append((RETURN, 0, 0, ALLOW))
    return [(EQUAL, 0, len(lines), number), *lines]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install(own_pid: int | None, new_processes: bool) -> None:
    """Put the filter on all threads of this process, for good; OSError if the kernel refuses."""
    machine = platform.machine()
    code = b"".join(
        struct.pack("=HBBI", *line) for line in program(machine, own_pid, new_processes)
    )
    memory = ctypes.create_string_buffer(code, len(code))
    argument = _Program(len(code) // 8, ctypes.addressof(memory))
    c = ctypes.CDLL(None, use_errno=True)
    failed = c.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or c.syscall(
        SECCOMP[machine], SECCOMP_SET_MODE_FILTER, ALL_THREADS, ctypes.byref(argument)
    )
    if failed:
        raise OSError(ctypes.get_errno(), "the kernel refused the filter of system calls")
