"""Running convert: the frozen solution, mapped over every chunk of the fileset that is not done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.base import Chunk, ChunkExecutor, Err, Result
from pipeline.data.schema import door
from pipeline.files import sha256_file
from pipeline.settings import Settings
from pipeline.stages.contract import ContractError
from pipeline.stages.convert.ledger import ChunkOutcome
from pipeline.stages.convert.product import ConvertProduct, Timed, write_product
from pipeline.stages.convert.store import ChunkRecord, ChunkStore, record_from
from pipeline.stages.convert.task import ConvertTask
from pipeline.stages.jail import TRUSTED, Jail

__all__ = ["ConvertError", "SolutionFailedError", "convert_all", "write_product"]

Progress = Callable[[int, int, int], None]
"""Told (chunks done, chunks in all, events done)."""


class ConvertError(RuntimeError):
    """Convert could not do its work, and no solution is to blame."""


class SolutionFailedError(ContractError):
    """The solution failed on at least one chunk."""


@dataclass
class _Count:
    """How far the conversion is."""

    total: int
    progress: Progress | None
    done: int = 0
    events: int = 0

    def add(self, events: int) -> None:
        self.done += 1
        self.events += events
        if self.progress is not None:
            self.progress(self.done, self.total, self.events)

    def __call__(self, result: Result) -> None:
        self.add(0 if isinstance(result, Err) else len(result.chunk))


def convert_all(
    solution_path: Path,
    fileset: Mapping[str, Any],
    settings: Settings,
    store: Path,
    executor: ChunkExecutor,
    progress: Progress | None = None,
    jail: Jail = TRUSTED,
    part: int | None = None,
) -> ConvertProduct:
    """Convert every chunk of `fileset`; chunks that the store has are not computed again.

    The outcome of each chunk comes back in the order of the fileset: its record, or why it is in
    quarantine (a bad file, or a worker that died each time). Raises SolutionFailedError if the
    solution failed, and ConvertError if disk, network or our own code did; either way all other
    chunks are finished first and stay in the store.
    """
    chunks = chunks_of(fileset)
    kinds = {name: str(sample["kind"]) for name, sample in fileset["samples"].items()}
    sha256 = sha256_file(solution_path)
    facts = facts_of(fileset, settings.data.release)
    kept = ChunkStore.of(store, sha256, settings, facts, part)
    records: dict[str, ChunkRecord] = {}
    count = _Count(len(chunks), progress)
    for chunk in chunks:
        record = kept.finished(kept.key(chunk, kinds[chunk.sample]))
        if record is not None:
            records[chunk.id] = record
            count.add(len(chunk))
    task = ConvertTask(
        solution=str(solution_path.resolve()),
        solution_sha256=sha256,
        channel=settings.channel,
        release=settings.data.release,
        data_samples=frozenset(name for name, kind in kinds.items() if kind == "data"),
        store=kept,
        samples=facts,
        jail=jail,
    )
    results = executor.map([c for c in chunks if c.id not in records], task, count)
    faults = {r.chunk.id: r for r in results if isinstance(r, Err)}
    records |= {r.chunk.id: record_from(r.value) for r in results if not isinstance(r, Err)}
    _raise_for(list(faults.values()), nothing_done=not records)
    outcomes = tuple(
        ChunkOutcome(c, kept.key(c, kinds[c.sample]), records.get(c.id), faults.get(c.id))
        for c in chunks
    )
    return ConvertProduct(
        sha256, settings.channel.name, settings.unblind, fileset, outcomes, kept, _timed(results)
    )


def _timed(results: Sequence[Result]) -> Timed:
    known = [(len(r.chunk), r.cost) for r in results if not isinstance(r, Err) and r.cost]
    return Timed(
        chunks=len(known),
        events=sum(events for events, _ in known),
        files=sum(cost.opened for _, cost in known),
        processes=sum(cost.first for _, cost in known),
        cpu_s=round(sum(cost.cpu_s for _, cost in known), 4),
        max_rss_mb=round(max((cost.max_rss_mb for _, cost in known), default=0.0), 1),
    )


def chunks_of(fileset: Mapping[str, Any]) -> list[Chunk]:
    """The chunks of a fileset, in its order."""
    return [
        Chunk(c["id"], c["sample"], c["path"], fileset["tree"], c["start"], c["stop"])
        for c in fileset["chunks"]
    ]


def facts_of(fileset: Mapping[str, Any], release: str) -> dict[str, dict[str, Any]]:
    """Of each sample the numbers that variables of the release stand for, as no branch has them."""
    keys = door(release).facts
    return {n: {k: s[k] for k in keys} for n, s in fileset["samples"].items()} if keys else {}


def _raise_for(faults: list[Err], nothing_done: bool) -> None:
    """Raise for the faults that are not the data's: ours and the system's first."""
    stopping = [f for f in faults if f.kind in ("internal", "system")]
    if not stopping and nothing_done:
        stopping = [f for f in faults if f.kind == "worker"]
    if stopping:
        raise ConvertError(_sentence(stopping)) from _like(stopping[0])
    of_solution = [f for f in faults if f.kind in ("solution", "memory")]
    if of_solution:
        raise SolutionFailedError(_sentence(of_solution)) from _like(of_solution[0])


def _sentence(faults: list[Err]) -> str:
    first = faults[0]
    more = f" (and {len(faults) - 1} more chunks failed)" if len(faults) > 1 else ""
    return (
        f"{first.message} [sample {first.chunk.sample}, {Path(first.chunk.path).name}, entries "
        f"{first.chunk.start} to {first.chunk.stop}]{more}"
    )


def _like(fault: Err) -> Exception:
    """An exception with the name and the traceback of the one that a worker met."""
    named: type[Exception] = type(fault.exception or "WorkerError", (Exception,), {})
    return named(fault.traceback)
