"""Chunks: every entry exactly once, none too large, names that do not depend on the place."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.chunks import cut, edges
from pipeline.data.manifest import ManifestFile

FILE = ManifestFile("root://a//eos/x.root", 10, "00000001", None)


@given(st.integers(0, 10_000), st.integers(1, 3_000))
def test_every_entry_is_in_exactly_one_range(entries: int, size: int) -> None:
    ranges = edges(entries, size)
    assert [i for a, b in ranges for i in (a, b)] == sorted(i for r in ranges for i in r)
    assert sum(b - a for a, b in ranges) == entries
    assert all(a == b for (_, a), (b, _) in pairwise(ranges))
    if ranges:
        lengths = [b - a for a, b in ranges]
        assert max(lengths) <= size
        assert max(lengths) - min(lengths) <= 1
        assert (ranges[0][0], ranges[-1][1]) == (0, entries)


@pytest.mark.parametrize(
    ("entries", "size", "expected"),
    [
        (0, 100, []),
        (3424, 100_000, [(0, 3424)]),
        (10, 4, [(0, 3), (3, 6), (6, 10)]),
        (3, 1, [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_ranges_are_even(entries: int, size: int, expected: list[tuple[int, int]]) -> None:
    assert edges(entries, size) == expected


def test_a_chunk_is_named_by_what_it_holds() -> None:
    here = cut("data_A", FILE, Path("/here/x.root"), 10, 20, 7)
    there = cut("data_A", FILE, Path("/there/y/x.root"), 10, 20, 7)
    assert [c.id for c in here] == [c.id for c in there]
    assert [c.path for c in here] != [c.path for c in there]
    assert len({c.id for c in here}) == 3
    assert all(len(c.id) == 16 for c in here)
    for other in (
        cut("data_B", FILE, Path("/here/x.root"), 10, 20, 7),
        cut("data_A", FILE, Path("/here/x.root"), 11, 20, 7),
        cut("data_A", ManifestFile(FILE.uri, 10, "00000002", None), Path("x"), 10, 20, 7),
    ):
        assert not {c.id for c in other} & {c.id for c in here}
