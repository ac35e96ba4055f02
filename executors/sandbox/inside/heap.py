"""Freed memory, given back to the system: allocators keep it, and others have need of it."""

from __future__ import annotations

import ctypes
import gc

import pyarrow as pa

BIG = 1 << 26
"""Bytes of values in one call from which it is worth the tens of milliseconds that it takes."""
_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""glibc's; other C libraries have none."""


def give_back() -> None:
    """Collect what is in cycles, and hand back what Arrow's pool and the C library hold unused."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    if _TRIM is not None:
        _TRIM(0)
