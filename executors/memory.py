"""The memory of a process that works on chunks: how much it may take, and that it keeps it."""

from __future__ import annotations

import ctypes
import platform
import resource
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 1 << 30
"""Bytes that the allocator keeps for the next chunk instead of giving them back."""


def limit_memory(allowed: int) -> None:
    """Let this process have at most `allowed` bytes of its own; beyond it, MemoryError (Linux)."""
    if not sys.platform.startswith("linux"):
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = allowed if hard == resource.RLIM_INFINITY else min(allowed, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def reuse_memory() -> None:
    """Have freed arrays reused by the next chunk (glibc).

    Chunk after chunk needs arrays of the same sizes. By default glibc maps and unmaps each of
    them, and a fifth of the time of reading goes into page faults.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_THRESHOLD, KEPT)
    libc.mallopt(M_TRIM_THRESHOLD, KEPT)
