"""The ledger: every entry of every sample exactly once, or a reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.base import Chunk, Err
from pipeline.stages.convert.store import ChunkRecord

LEDGER_SCHEMA = 1


class LedgerError(ValueError):
    """Chunks leave entries out, or count some twice."""


@dataclass(frozen=True)
class ChunkOutcome:
    """What became of one chunk: a record of its rows, or the fault that put it in quarantine."""

    chunk: Chunk
    key: str
    record: ChunkRecord | None
    fault: Err | None

    def __post_init__(self) -> None:
        if (self.record is None) == (self.fault is None):
            raise LedgerError(
                f"expected either a record or a fault for chunk {self.chunk.id} of "
                f"{self.chunk.sample}, found {self.record!r} and {self.fault!r}"
            )


def ledger(
    fileset: Mapping[str, Any],
    outcomes: Sequence[ChunkOutcome],
    solution_sha256: str,
    hashes: Mapping[str, str],
) -> dict[str, Any]:
    """The content of ledger.json; `hashes` maps the key of a chunk to the hash of its rows.

    Raises LedgerError unless the chunks of every file lie end to end from 0 to its number of
    entries, and each finished one has as many events as its range.
    """
    check_tiling(fileset, [o.chunk for o in outcomes])
    samples = {}
    for name, sample in fileset["samples"].items():
        own = [o for o in outcomes if o.chunk.sample == name]
        done = [o for o in own if o.record is not None]
        expected = sum(file["entries"] or 0 for file in sample["files"])
        counted = sum(o.record.events for o in done if o.record is not None)
        samples[name] = {
            "entries_expected": expected,
            "entries_done": counted,
            "chunks": len(own),
            "quarantined": len(own) - len(done),
            "complete": bool(sample["complete"]) and len(done) == len(own) and counted == expected,
        }
    return {
        "schema": LEDGER_SCHEMA,
        "solution_sha256": solution_sha256,
        "chunks": [_entry(o, hashes) for o in outcomes],
        "samples": samples,
    }


def check_tiling(fileset: Mapping[str, Any], chunks: Sequence[Chunk]) -> None:
    """Raise LedgerError unless the chunks cover each entry of each file exactly once."""
    of_file: dict[tuple[str, str], list[Chunk]] = {}
    for chunk in chunks:
        of_file.setdefault((chunk.sample, chunk.path), []).append(chunk)
    for name, sample in fileset["samples"].items():
        for file in sample["files"]:
            own = of_file.pop((name, file["path"]), [])
            where = f"{Path(file['path']).name} of sample {name}"
            end = 0
            for chunk in sorted(own, key=lambda c: (c.start, c.stop)):
                if chunk.start != end or chunk.stop < chunk.start:
                    what = "are left out" if chunk.start > end else "are counted twice"
                    low, high = sorted((end, chunk.start))
                    raise LedgerError(f"entries {low} to {high} of {where} {what}; {NEXT}")
                end = chunk.stop
            wanted = file["entries"] or 0  # null: a file that cannot be read has no chunks
            if end != wanted:
                raise LedgerError(
                    f"expected chunks up to entry {wanted} of {where}, found {end}; {NEXT}"
                )
    if of_file:
        name, path = next(iter(of_file))
        raise LedgerError(
            f"found a chunk of {Path(path).name}, which sample {name} does not have; {NEXT}"
        )


NEXT = "delete the fileset of the run and give the same command again"


def check_events(outcome: ChunkOutcome) -> None:
    """Raise LedgerError for a finished chunk with another number of events than its range."""
    chunk, record = outcome.chunk, outcome.record
    if record is not None and record.events != len(chunk):
        raise LedgerError(
            f"expected {len(chunk)} events in chunk {chunk.id} of {chunk.sample}, found "
            f"{record.events}; delete the folder chunks/ of the run and start it again"
        )


def _entry(outcome: ChunkOutcome, hashes: Mapping[str, str]) -> dict[str, Any]:
    check_events(outcome)
    chunk, record, fault = outcome.chunk, outcome.record, outcome.fault
    return {
        "id": chunk.id,
        "sample": chunk.sample,
        "file": Path(chunk.path).name,
        "start": chunk.start,
        "stop": chunk.stop,
        "status": "ok" if record is not None else "quarantined",
        "rows": record.rows if record is not None else 0,
        "reason": None if fault is None else {"kind": fault.kind, "message": fault.message},
        "sha256": hashes.get(outcome.key),
    }
