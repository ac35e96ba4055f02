"""Coffea's Runner, made safe: what happens to one chunk becomes its result, whatever it is."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from coffea.nanoevents import BaseSchema
from coffea.processor import Runner
from coffea.processor.executor import ExecutorBase, WorkItem

from executors.base import Chunk, Err, FaultKind, Ok, Result, Task, TaskError
from executors.diagnosis import EventCountError, diagnose, is_passing

FIRST_PAUSE = 0.2
"""Seconds before the second attempt at a chunk whose system failed; doubled for each further."""


class _TaskRaisedError(Exception):
    """Marks an exception as the task's own, not the reader's; it is the `__cause__`."""


@dataclass(frozen=True)
class _OfChunk:
    """What coffea calls with the events of one chunk."""

    task: Task
    chunk: Chunk
    branches: tuple[str, ...]

    def __call__(self, events: Any) -> dict[str, Any]:
        if len(events) != len(self.chunk) or set(events.fields) != set(self.branches):
            raise EventCountError(
                f"expected {len(self.chunk)} events of {len(self.branches)} branches, found "
                f"{len(events)} of {len(events.fields)}"
            )
        try:
            return self.task(events, self.chunk)
        except (Exception, SystemExit) as error:  # marked, not swallowed
            raise _TaskRaisedError from error


class ChunkRunner(Runner):  # type: ignore[misc]  # coffea ships no types
    """A Runner whose work function returns Ok or Err for a chunk and never raises."""

    @staticmethod
    def _work_function(*settings: Any, processor_instance: Task, **options: Any) -> Result:
        *rest, item = settings
        attempts = 1 + item.usermeta["retries"]
        for attempt in range(1, attempts + 1):
            result = _attempt(rest, item, processor_instance, options, attempt)
            if isinstance(result, Ok) or result.kind != "system":
                break
            if attempt < attempts:
                time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
        return result


def run(executor: ExecutorBase, chunks: Sequence[Chunk], task: Task, retries: int) -> list[Result]:
    """Results of `chunks` in their order, worked on by a coffea executor of ours.

    Entries are known from the fileset, so no file is opened before its chunk is worked on. The
    branches are read in bulk (`preload`) into virtual arrays under coffea's BaseSchema.
    """
    if not chunks:
        return []
    runner = ChunkRunner(executor, schema=BaseSchema, processor_compression=None, xrootdtimeout=120)
    out = runner.run([_item(c, retries) for c in chunks], task)
    results = {r.chunk.id: r for r in out["out"]}
    return [results[c.id] for c in chunks]


def chunk_of(item: WorkItem) -> Chunk:
    """The chunk that a coffea work item stands for."""
    return Chunk(
        item.usermeta["chunk"], item.dataset, item.filename, item.treename,
        item.entrystart, item.entrystop,
    )  # fmt: skip


def _item(chunk: Chunk, retries: int) -> WorkItem:
    told = {"chunk": chunk.id, "retries": retries}
    return WorkItem(chunk.sample, chunk.path, chunk.tree, chunk.start, chunk.stop, b"", told)


def _attempt(
    settings: Sequence[Any], item: WorkItem, task: Task, options: dict[str, Any], attempt: int
) -> Result:
    """Read and work on one chunk once: the boundary where an exception becomes an Err."""
    chunk = chunk_of(item)
    branches: tuple[str, ...] = ()
    try:
        branches = tuple(_asked(task))
        options = {**options, "iteritems_options": {"filter_name": list(branches)}}
        done = Runner._work_function(
            *settings,
            replace(item, preload=frozenset(branches)),
            processor_instance=_OfChunk(task, chunk, branches),
            **options,
        )
        return Ok(chunk, done["out"], attempt)
    except (Exception, SystemExit) as error:  # noqa: BLE001  the boundary; a solution may exit()
        return _err(error, chunk, branches, attempt)


def _asked(task: Task) -> Sequence[str]:
    try:
        return task.branches
    except (Exception, SystemExit) as error:  # marked, not swallowed
        raise _TaskRaisedError from error


def _err(error: BaseException, chunk: Chunk, branches: Sequence[str], attempt: int) -> Err:
    kind: FaultKind
    cause = _cause_in_task(error)
    told = cause if cause is not None else error
    shown: BaseException = told
    if _is_memory(told):
        shown = MemoryError()
        kind, message = (
            "memory",
            (
                f"entries {chunk.start} to {chunk.stop} need more memory than a worker may use; "
                "lower data.chunk_size or raise site.memory_gb"
            ),
        )
    elif isinstance(cause, TaskError):
        kind, message, shown = cause.kind, str(cause), cause.__cause__ or cause
    elif cause is None:
        kind, message = diagnose(chunk, branches, error)
    elif is_passing(cause):
        kind, message = "system", f"the system failed: {cause}; give the same command again"
    else:
        kind, message = "internal", f"{type(cause).__name__}: {cause}"
    text = "".join(traceback.format_exception(told))
    return Err(chunk, kind, message, type(shown).__name__, text, attempt)


def _cause_in_task(error: BaseException | None) -> BaseException | None:
    """The exception that the task raised, if it was the task."""
    while error is not None:
        if isinstance(error, _TaskRaisedError):
            return error.__cause__
        error = error.__cause__
    return None


def _is_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__
    return False
