"""Processor seconds of this process and of the sandboxed processes that work for it."""

from __future__ import annotations

import multiprocessing as mp
import resource
import time

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
    """Largest resident memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
