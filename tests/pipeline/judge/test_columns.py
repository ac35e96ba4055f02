"""The judge sees the same in a file, a column at a time, as in memory."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.files import write_table
from pipeline.judge import columns
from pipeline.judge.columns import Picked, Stacked, comparable, opened, row_codes, rows_at
from pipeline.judge.ladder import compare_tables
from pipeline.judge.matching import match_rows
from pipeline.stages.stored import StoredTable

ROW = ("run_number", "event_number", "sample")


def table(rows: int, seed: int = 1) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "run_number": draw.integers(1, 4, rows),
            "event_number": draw.integers(0, 2**60, rows),
            "sample": draw.choice(["b", "a", "10", "9"], rows),
            "mass": draw.normal(125, 2, rows).astype(np.float32),
            "weight": draw.normal(1, 0.1, rows),
            "tight": draw.random(rows) < 0.5,
        }
    )


@pytest.fixture
def stored(tmp_path: Path) -> StoredTable:
    write_table(tmp_path / "table.parquet", table(5_000))
    return StoredTable(tmp_path / "table.parquet")


def test_a_column_of_a_file_is_that_of_the_table(stored: StoredTable) -> None:
    whole = stored.read()
    for name in whole.columns:
        one, right = stored[name].to_numpy(), whole[name].to_numpy()
        assert one.dtype == right.dtype
        assert (one == right).all()
    assert stored["sample"].dtype == "category"  # a byte a row


def test_small_tables_are_read_whole(stored: StoredTable, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(opened(stored.path), pd.DataFrame)
    monkeypatch.setattr(columns, "SMALL", 4_999)
    assert opened(stored.path) == stored


def test_the_ladder_says_the_same_of_files(stored: StoredTable, tmp_path: Path) -> None:
    """Rows that lack, rows twice, values that moved, in another order."""
    whole = stored.read()
    other = whole.assign(mass=whole["mass"] * np.where(np.arange(len(whole)) % 9, 1, 1.01))
    other = pd.concat([other.iloc[7:], other.iloc[100:103], other.iloc[100:103]])
    other = other.sample(frac=1, random_state=3).reset_index(drop=True)
    write_table(tmp_path / "other.parquet", other)
    in_files = compare_tables("t", StoredTable(tmp_path / "other.parquet"), stored, ROW, "weight")
    assert in_files == compare_tables("t", other, whole, ROW, "weight")
    assert not all(check.passed for check in in_files)
    assert match_rows(StoredTable(tmp_path / "other.parquet"), stored, ROW).unpaired == 13


def test_tables_one_below_the_other(stored: StoredTable) -> None:
    first, empty = stored.read().drop(columns="sample"), table(0).astype(object)
    stacked = Stacked({"first": first, "none": empty, "file": stored}, [*ROW, "mass"])
    right = pd.concat([first.assign(sample="first"), stored.read()], ignore_index=True)
    assert len(stacked) == len(right)
    for name in stacked.columns:
        assert (stacked[name].to_numpy() == right[name].to_numpy()).all()
    assert stacked["event_number"].dtype == np.int64
    rows = np.array([7_000, 3, 3])
    picked = Picked(stacked, rows)
    assert list(picked["mass"]) == list(right["mass"].iloc[rows])
    assert list(rows_at(stacked, rows)["sample"]) == list(right["sample"].iloc[rows])


IDENTITIES = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([1, 2**60, 2**60 + 1]), st.sampled_from("ab")),
    max_size=12,
)


@given(IDENTITIES, IDENTITIES)
def test_rows_are_paired_as_by_counting(first: list[Any], second: list[Any]) -> None:
    tables = [pd.DataFrame(rows, columns=list(ROW)) for rows in (first, second)]
    matching = match_rows(tables[0], tables[1], ROW)
    pairs = zip(matching.found, matching.expected, strict=True)
    assert all(first[a] == second[b] for a, b in pairs)
    assert sorted([*matching.found, *matching.only_found]) == list(range(len(first)))
    assert sorted([*matching.expected, *matching.only_expected]) == list(range(len(second)))
    counts: defaultdict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for side, rows in enumerate((first, second)):
        for row in rows:
            counts[row][side] += 1
    assert len(matching.found) == sum(min(both) for both in counts.values())
    ordered = [first[a] for a in matching.found]
    assert ordered == sorted(ordered)
    codes = np.concatenate(row_codes(tables, ROW))
    everything = first + second
    for i in range(len(everything)):
        assert all((everything[i] < everything[j]) == (codes[i] < codes[j]) for j in range(i))


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ([[3, 1], [2]], [2, 0, 1]),
        ([np.array([2**63], np.uint64), np.array([-1])], [1, 0]),
        ([[1.5, np.nan], [1, np.nan]], [1, 2, 0, 2]),
        ([["9", "10"], pd.Categorical(["b", "9"])], [1, 0, 2, 1]),
        ([[5], ["5", "x"]], [0, 0, 1]),
        ([[None, "a"], [None]], [1, 0, 1]),  # as the text nan
    ],
)
def test_what_compares_how(values: list[Any], order: list[int]) -> None:
    found = comparable([pd.Series(one) for one in values])
    ranks = {value: place for place, value in enumerate(sorted(set(found)))}
    assert [ranks[value] for value in found] == [sorted(set(order)).index(value) for value in order]
