"""WHERE code runs: a function mapped over chunks, here or on a cluster."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from executors.base import ChunkExecutor

NAMES = ("inline", "processes", "dask")


def make_executor(
    name: str,
    workers: int = 1,
    memory_gb: float = 2.0,
    retries: int = 0,
    scheduler: str | None = None,
) -> ChunkExecutor:
    """The executor called `name`, with `workers` processes of at most `memory_gb` each.

    `scheduler` is the address of a Dask scheduler to use instead of a cluster of our own. Raises
    ExecutorError for an unknown name, or fewer than one worker. The imports are made here, so that
    a process which starts no executor does not wait for them.
    """
    from executors.base import ExecutorError

    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ExecutorError(f"unknown executor {name!r}; {hint}known: {', '.join(NAMES)}")
    if workers < 1 or memory_gb <= 0 or retries < 0:
        raise ExecutorError(
            "expected at least 1 worker, memory above 0 GB and no negative number of retries, "
            f"found workers={workers!r}, memory_gb={memory_gb!r}, retries={retries!r}"
        )
    if scheduler is not None and name != "dask":
        raise ExecutorError(f"a scheduler goes with executor 'dask', found {name!r}")
    if name == "dask":
        from executors.dask import DaskExecutor

        return DaskExecutor(workers, memory_gb, retries, scheduler)
    from executors.local import InlineExecutor, ProcessesExecutor

    if name == "inline":
        return InlineExecutor(retries)
    return ProcessesExecutor(workers, memory_gb, retries)
