"""Shares of the data: the same files every time, each share within the next."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.share import STEPS, number_in, share_of

NAMES = st.lists(st.text("abcdef0123456789", min_size=1, max_size=8), unique=True, max_size=300)


@given(NAMES, st.randoms())
def test_each_share_is_within_the_next(names: list[str], chance) -> None:  # type: ignore[no-untyped-def]
    uris = [f"root://host//eos/{name}.root" for name in names]
    shares = [share_of(uris, step) for step in STEPS]
    assert all(small <= large for small, large in itertools.pairwise(shares))
    assert shares[-1] == set(uris)
    assert [len(s) for s in shares] == [number_in(len(uris), step) for step in STEPS]
    chance.shuffle(uris)
    assert [share_of(uris, step) for step in STEPS] == shares


def test_numbers_of_files() -> None:
    assert [number_in(55_620, step) for step in STEPS] == [1, 557, 5562, 55_620]
    assert [number_in(16, step) for step in STEPS] == [1, 1, 2, 16]
    assert [number_in(0, step) for step in STEPS] == [0, 0, 0, 0]


def test_a_mirror_has_the_same_share() -> None:
    names = [f"file_{i}.root" for i in range(100)]
    there = share_of([f"root://eos//a/{n}" for n in names], "10%")
    here = share_of([f"/mirror/{n}" for n in names], "10%")
    assert {u.rpartition("/")[2] for u in there} == {u.rpartition("/")[2] for u in here}
