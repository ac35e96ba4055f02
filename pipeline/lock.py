"""One run directory, one run: a lock that dies with its holder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class RunLockedError(RuntimeError):
    """Another process works in this run directory."""


@contextmanager
def run_lock(run: Path) -> Iterator[None]:
    """Hold the run directory for this process.

    The kernel frees the lock when the process ends, however it ends; nothing is left to clean up
    after a SIGKILL. Raises RunLockedError with the holder's process and host.
    """
    path = run / ".lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _holder(path)
            raise RunLockedError(
                f"another ladon works in {run} ({holder}); wait for it, or choose another run.name"
            ) from error
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps(_ourselves()).encode())
        yield
    finally:
        os.close(handle)


def _ourselves() -> dict[str, int | str | None]:
    """Who we are, for those who ask; `job` is the SLURM job that we are in."""
    job = os.environ.get("LADON_CONTROLLER_JOB") or os.environ.get("SLURM_JOB_ID")
    return {"pid": os.getpid(), "host": socket.gethostname(), "job": job}


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text())
        return f"process {held['pid']} on {held['host']}"
    except (OSError, ValueError, KeyError):
        return "its process is not known"
