"""The holder of a run: which process the lock names, and whether it is still there."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil

from pipeline.status.reading import json_object
from pipeline.status.snapshot import Holder

LOCK = ".lock"
RUNNING = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT"})
"""States of a SLURM job that has processes."""


def holder_of(run: Path, jobs: dict[str, str] | None) -> Holder | None:
    """Who the lock of the run names; None where it was never held.

    `jobs` are the user's jobs in SLURM's queue (number -> state), None where that is not known.
    The lock itself is not tried: that could refuse it, for a moment, to a run that starts.
    """
    path = run / LOCK
    told = json_object(path) or json_object(path)  # it is emptied before it is written
    try:
        pid, host = int((told or {})["pid"]), str((told or {})["host"])
    except (KeyError, TypeError, ValueError):
        return None
    job = str(told["job"]) if told and told.get("job") else None
    here = host == socket.gethostname()
    if here:
        alive: bool | None = _holds(pid, path)
    elif job is not None and jobs is not None:
        alive = jobs.get(job) in RUNNING
    else:
        alive = None
    return Holder(pid, host, job, here, alive)


def _holds(pid: int, path: Path) -> bool:
    """Whether this process is there and has the lock file open."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
    except psutil.Error:
        return False
    try:
        return any(Path(file.path) == path for file in process.open_files())
    except psutil.AccessDenied:
        try:  # another user's: a process that is younger than the lock got the number later
            return process.create_time() <= path.stat().st_mtime + 1
        except (psutil.Error, OSError):
            return False
    except (psutil.Error, OSError):
        return False


def words(holder: Holder) -> str:
    """Where it is, for people."""
    if holder.here and holder.job is None:
        return f"here as process {holder.pid}"
    if holder.job is not None:
        return f"as job {holder.job} on {holder.host}"
    return f"as process {holder.pid} on {holder.host}"
