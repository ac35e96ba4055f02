"""The ledger takes every entry once, and nothing else."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executors.base import Chunk, Err
from pipeline.stages.convert.ledger import ChunkOutcome, LedgerError, check_tiling, ledger
from pipeline.stages.convert.store import ChunkRecord

ENTRIES = 100


def files(entries: int = ENTRIES, complete: bool = True) -> dict[str, Any]:
    listed = [{"path": "/somewhere/a.root", "entries": entries}]
    return {"samples": {"data_A": {"kind": "data", "complete": complete, "files": listed}}}


def chunks(*edges: int) -> list[Chunk]:
    return [
        Chunk(f"c{start}", "data_A", "/somewhere/a.root", "mini", start, stop)
        for start, stop in pairwise(edges)
    ]


def done(chunk: Chunk, events: int | None = None) -> ChunkOutcome:
    count = len(chunk) if events is None else events
    record = ChunkRecord(chunk.id, count, 3, 1, (("all", count),), 10)
    return ChunkOutcome(chunk, f"key-{chunk.id}", record, None)


@settings(deadline=None)
@given(st.sets(st.integers(1, ENTRIES - 1)), st.randoms())
def test_any_tiling_is_accepted_in_any_order(inner: set[int], chance) -> None:  # type: ignore[no-untyped-def]
    tiles = chunks(0, *sorted(inner), ENTRIES)
    chance.shuffle(tiles)
    check_tiling(files(), tiles)


@settings(deadline=None)
@given(st.sets(st.integers(1, ENTRIES - 1), min_size=1), st.data())
def test_a_missing_or_a_doubled_chunk_is_refused(inner: set[int], data: st.DataObject) -> None:
    tiles = chunks(0, *sorted(inner), ENTRIES)
    victim = data.draw(st.sampled_from(tiles))
    with pytest.raises(LedgerError):
        check_tiling(files(), [t for t in tiles if t != victim])
    with pytest.raises(LedgerError, match="counted twice"):
        check_tiling(files(), [*tiles, victim])


def test_the_sentence_names_entries_and_file() -> None:
    with pytest.raises(LedgerError, match=r"entries 40 to 60 of a\.root of sample data_A are left"):
        check_tiling(files(), [*chunks(0, 40), *chunks(60, 100)])
    with pytest.raises(LedgerError, match="expected chunks up to entry 100"):
        check_tiling(files(), chunks(0, 40))
    stray = Chunk("x", "data_B", "/somewhere/b.root", "mini", 0, 5)
    with pytest.raises(LedgerError, match="which sample data_B does not have"):
        check_tiling(files(), [*chunks(0, 100), stray])


def test_a_sample_without_events_needs_no_chunk() -> None:
    check_tiling(files(entries=0), [])
    check_tiling(files(entries=0), chunks(0, 0))


def test_content() -> None:
    first, second = chunks(0, 60, 100)
    fault = ChunkOutcome(second, "k", None, Err(second, "worker", "it died", attempts=3))
    content = ledger(files(), [done(first), fault], "ab" * 32, {"key-c0": "cd" * 32})
    assert content["samples"]["data_A"] == {
        "entries_expected": 100, "entries_done": 60, "chunks": 2, "quarantined": 1,
        "complete": False,
    }  # fmt: skip
    assert content["chunks"][0] == {
        "id": "c0", "sample": "data_A", "file": "a.root", "start": 0, "stop": 60, "status": "ok",
        "rows": 3, "reason": None, "sha256": "cd" * 32,
    }  # fmt: skip
    assert content["chunks"][1]["reason"] == {"kind": "worker", "message": "it died"}
    assert content["chunks"][1]["sha256"] is None
    whole = ledger(files(), [done(first), done(second)], "ab" * 32, {})
    assert whole["samples"]["data_A"]["complete"]
    partial = ledger(files(complete=False), [done(first), done(second)], "ab" * 32, {})
    assert not partial["samples"]["data_A"]["complete"]


def test_a_record_of_other_events_is_refused() -> None:
    with pytest.raises(LedgerError, match="expected 100 events in chunk c0"):
        ledger(files(), [done(chunks(0, 100)[0], events=99)], "ab" * 32, {})


def test_an_outcome_is_one_thing() -> None:
    chunk = chunks(0, 100)[0]
    with pytest.raises(LedgerError, match="either a record or a fault"):
        ChunkOutcome(chunk, "k", None, None)
