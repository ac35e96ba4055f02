"""Coffea's Runner, made safe: what happens to one chunk becomes its result, whatever it is."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

from coffea.nanoevents import BaseSchema
from coffea.processor import Runner
from coffea.processor.executor import ExecutorBase, WorkItem

from executors import reading, spent
from executors.base import Chunk, Cost, Err, FaultKind, Ok, Result, Task, TaskError
from executors.diagnosis import diagnose, is_passing
from executors.prefetch import runs_of

FIRST_PAUSE = 0.2
"""Seconds before the second attempt at a chunk whose system failed; doubled for each further."""

_warm = False
"""Whether this process has done a chunk before."""


class ChunkRunner(Runner):  # type: ignore[misc]  # coffea ships no types
    """A Runner whose work function returns Ok or Err for a chunk and never raises.

    coffea's own opens the file anew for each chunk, and an exception of one chunk ends them all.
    """

    @staticmethod
    def _work_function(*settings: Any, processor_instance: Task, **options: Any) -> Result:
        item: WorkItem = settings[-1]
        chunk, attempts = chunk_of(item), 1 + item.usermeta["retries"]
        for attempt in range(1, attempts + 1):
            result = _attempt(chunk, processor_instance, attempt, item.usermeta["next"])
            if isinstance(result, Ok) or result.kind != "system":
                break
            if attempt < attempts:
                time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
        return result


def run(
    executor: ExecutorBase, chunks: Sequence[Chunk], task: Task, retries: int, together: int = 1
) -> list[Result]:
    """Results of `chunks` in their order, worked on by a coffea executor of ours.

    Entries are known from the fileset, so no file is opened before its chunk is worked on. A chunk
    whose system failed is tried again, up to `retries` times. Chunks on the network come in runs
    of at most `together`.
    """
    if not chunks:
        return []
    runner = ChunkRunner(executor, schema=BaseSchema, processor_compression=None)
    items = [
        _item(chunk, following, retries)
        for own in runs_of(chunks, together)
        for chunk, following in zip_longest(own, own[1:])
    ]
    out = runner.run(items, task)
    results = {r.chunk.id: r for r in out["out"]}
    return [results[c.id] for c in chunks]


def runs(items: Iterable[WorkItem]) -> Iterator[list[WorkItem]]:
    """Work items in the runs that `run` made; each is for one worker."""
    own: list[WorkItem] = []
    for item in items:
        own.append(item)
        if item.usermeta["next"] is None:
            yield own
            own = []


def do_run(function: Callable[[WorkItem], Result], own: Sequence[WorkItem]) -> list[Result]:
    """What a worker does with a run: one item after the other."""
    return [function(item) for item in own]


def chunk_of(item: WorkItem) -> Chunk:
    """The chunk that a coffea work item stands for."""
    return Chunk(
        item.usermeta["chunk"], item.dataset, item.filename, item.treename,
        item.entrystart, item.entrystop,
    )  # fmt: skip


def _item(chunk: Chunk, following: Chunk | None, retries: int) -> WorkItem:
    told = {"chunk": chunk.id, "retries": retries, "next": following}
    return WorkItem(chunk.sample, chunk.path, chunk.tree, chunk.start, chunk.stop, b"", told)


def _attempt(chunk: Chunk, task: Task, attempt: int, following: Chunk | None) -> Result:
    """Read and work on one chunk once: the boundary where an exception becomes an Err.

    Meanwhile the chunk that follows is read ahead. A solution may also call exit(), which would end
    the worker.
    """
    global _warm
    began = spent.seconds() if _warm else spent.before_first()
    opened = not reading.is_open(chunk.path)
    try:
        branches = tuple(task.branches)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (the boundary)
        return _fault_of_task(chunk, error, attempt)
    try:
        events = reading.read(chunk, branches)
    except Exception as error:  # noqa: BLE001  (the boundary)
        reading.close()
        return _fault_of_reading(chunk, branches, error, attempt)
    if following is not None:
        reading.read_ahead(following, branches)
    try:
        value = task(events, chunk)
        cost = Cost(spent.seconds() - began, not _warm, opened, spent.max_rss_mb())
        _warm = True
        return Ok(chunk, value, attempt, cost)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (the boundary)
        return _fault_of_task(chunk, error, attempt)


def _fault_of_reading(
    chunk: Chunk, branches: Sequence[str], error: BaseException, attempt: int
) -> Err:
    if _is_memory(error):
        return _out_of_memory(chunk, error, attempt)
    kind, message = diagnose(chunk, branches, error)
    return _err(chunk, kind, message, error, error, attempt)


def _fault_of_task(chunk: Chunk, error: BaseException, attempt: int) -> Err:
    if _is_memory(error):
        return _out_of_memory(chunk, error, attempt)
    if isinstance(error, TaskError):
        return _err(chunk, error.kind, str(error), error.__cause__ or error, error, attempt)
    if isinstance(error, OSError) or is_passing(error):
        message = f"the system failed: {error}; give the same command again"
        return _err(chunk, "system", message, error, error, attempt)
    message = f"{type(error).__name__}: {error}"
    return _err(chunk, "internal", message, error, error, attempt)


def _out_of_memory(chunk: Chunk, error: BaseException, attempt: int) -> Err:
    message = (
        f"entries {chunk.start} to {chunk.stop} need more memory than a worker may use; lower "
        "data.chunk_size or raise site.memory_gb"
    )
    return _err(chunk, "memory", message, MemoryError(), error, attempt)


def _err(
    chunk: Chunk,
    kind: FaultKind,
    message: str,
    shown: BaseException,
    error: BaseException,
    attempt: int,
) -> Err:
    text = "".join(traceback.format_exception(error))
    return Err(chunk, kind, message, type(shown).__name__, text, attempt)


def _is_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__
    return False
