"""Processor seconds of this process and of the sandboxed processes that work for it."""

from __future__ import annotations

import multiprocessing as mp
import time
from pathlib import Path

_of_sandboxes = 0.0


def add(seconds: float) -> None:
    """Count what a call into a sandbox took, whose process is no part of this one."""
    global _of_sandboxes
    _of_sandboxes += seconds


def seconds() -> float:
    """User and system time since this process began; that of sandboxes is in it."""
    return time.process_time() + _of_sandboxes


def before_first() -> float:
    """What `seconds` is to be counted from for the first work of this process.

    From nothing where it is a worker, so that starting it is counted; a process that works on
    chunks itself has done other things before.
    """
    return 0.0 if mp.parent_process() is not None else seconds()


def max_rss_mb() -> float:
    """Largest resident memory of this process since its program began, in units of 1024² bytes.

    `ru_maxrss` would be at least what its parent had when it was started (getrusage(2), execve(2)).
    """
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (one for one in text.splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
