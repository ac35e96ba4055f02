"""Keys of events: what they say is what a loop over pairs says."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.convert.identity import among, keys, run_and_event, without_event

RUNS = st.integers(0, 3) | st.integers(0, 2**23 - 1)
EVENTS = st.integers(-3, 3) | st.integers(-(2**31), 2**39 - 1) | st.integers(2**39, 2**62)
PAIRS = st.lists(st.tuples(RUNS, EVENTS), max_size=30)


def of(pairs: list[tuple[int, int]]) -> np.ndarray:
    return keys([run for run, _ in pairs], [event for _, event in pairs])


@settings(deadline=None)
@given(PAIRS)
def test_a_key_is_a_pair(pairs: list[tuple[int, int]]) -> None:
    assert [run_and_event(key) for key in of(pairs)] == pairs


@settings(deadline=None)
@given(PAIRS, PAIRS)
def test_among(rows: list[tuple[int, int]], some: list[tuple[int, int]]) -> None:
    assert among(of(rows), of(some)).tolist() == [pair in set(some) for pair in rows]


@settings(deadline=None)
@given(PAIRS, PAIRS)
def test_without_event_counts_occurrences(
    rows: list[tuple[int, int]], given_events: list[tuple[int, int]]
) -> None:
    left = Counter(rows) - Counter(given_events)
    found = [run_and_event(key) for key in without_event(of(rows), of(given_events))]
    assert Counter(found) == left
    assert found == sorted(found)


@settings(deadline=None)
@given(PAIRS, st.randoms())
def test_a_shuffled_part_is_all_there(pairs: list[tuple[int, int]], chance) -> None:  # type: ignore[no-untyped-def]
    part = chance.sample(pairs, len(pairs) // 2)
    assert len(without_event(of(part), of(pairs))) == 0


def test_unsigned_event_numbers_of_2025_are_kept() -> None:
    events = np.array([2**33 + 5, 7], dtype=np.uint64)
    found = keys(np.array([300000, 1], dtype=np.uint32), events)
    assert [run_and_event(key) for key in found] == [(300000, 2**33 + 5), (1, 7)]
