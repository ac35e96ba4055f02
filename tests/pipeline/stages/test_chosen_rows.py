"""Rows by number: completed from the input, in the order of their identity, refused if absent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.files import write_table
from pipeline.stages.chosen_rows import ChosenRows, has_numbers
from pipeline.stages.contract import ContractError
from pipeline.stages.stored import INPUT_ROW, StoredTable, StoredTables
from pipeline.stages.tables import in_order

NAMES = ("a", "b")


def table(name: str, rows: int = 50) -> pd.DataFrame:
    """Rows of which some share an identity and differ in what comes after it."""
    draw = np.random.default_rng(len(name) + rows + ord(name))
    return pd.DataFrame(
        {
            "run_number": draw.integers(1, 3, rows),
            "event_number": draw.integers(0, 12, rows),
            "channel_number": 0,
            "weight": 1.0,
            "pt": np.where(draw.random(rows) < 0.3, np.nan, draw.random(rows)).astype(np.float32),
            "text": draw.choice(["x", "yy"], rows),
        }
    )


def chosen(name: str, numbers: list[int]) -> pd.DataFrame:
    """What a solution gives back of a sample."""
    made: dict[str, Any] = {INPUT_ROW: numbers, "weight": 0.5, "sample": name, "process": "p"}
    return pd.DataFrame(made).astype({"sample": "str", "process": "str", INPUT_ROW: "int64"})


@pytest.fixture(params=["memory", "files"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = {name: table(name) for name in NAMES}
    if request.param == "memory":
        return made
    for name in NAMES:
        write_table(tmp_path / f"{name}.parquet", made[name])
    return StoredTables({name: StoredTable(tmp_path / f"{name}.parquet") for name in NAMES})


FOUND = pd.concat([chosen("b", [4, 0, 49, 17]), chosen("a", list(range(50)))], ignore_index=True)


def right() -> pd.DataFrame:
    """The same rows, made of whole tables."""
    parts = [
        table(name).iloc[numbers].assign(weight=0.5, sample=name, process="p")
        for name, numbers in (("b", [4, 0, 49, 17]), ("a", range(50)))
    ]
    whole = in_order(pd.concat(parts, ignore_index=True))
    return whole.astype({"sample": "str", "process": "str"})


def test_what_was_not_given_is_added(tables: Any) -> None:
    made = ChosenRows.of(FOUND, "data", tables).whole()
    pd.testing.assert_frame_equal(made, right())
    assert made["pt"].dtype == np.float32
    assert made.duplicated(["run_number", "event_number", "sample"]).sum() > 10  # ties were there


def test_columns_of_the_solution_count(tables: Any) -> None:
    found = FOUND.assign(pt=np.float32(7.0))
    made = ChosenRows.of(found, "data", tables).whole()
    assert list(made.columns) == list(right().columns)
    assert set(made["pt"]) == {7.0}


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_blocks_put_together_are_the_whole(tables: Any, size: int) -> None:
    blocks = list(ChosenRows.of(FOUND, "data", tables).blocks(size))
    assert max(len(block) for block in blocks) <= size
    pd.testing.assert_frame_equal(pd.concat(blocks, ignore_index=True), right())


def test_no_rows_have_all_columns(tables: Any, tmp_path: Path) -> None:
    made = ChosenRows.of(FOUND.iloc[:0], "data", tables)
    pd.testing.assert_frame_equal(made.whole(), right().iloc[:0])
    made.write(tmp_path / "none.parquet")
    pd.testing.assert_frame_equal(StoredTable(tmp_path / "none.parquet").read(), right().iloc[:0])


def test_written_blocks_are_the_bytes_of_the_whole(tables: Any, tmp_path: Path) -> None:
    made = ChosenRows.of(FOUND, "data", tables)
    made.write(tmp_path / "blocks.parquet")
    write_table(tmp_path / "whole.parquet", right())
    found = [(tmp_path / f"{name}.parquet").read_bytes() for name in ("blocks", "whole")]
    assert found[0] == found[1]


SPOILED: list[tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = [
    (lambda t: t.assign(input_row=50), "numbers from 0 to 49 .* for sample 'a', found 50"),
    (lambda t: t.assign(input_row=-1), "numbers from 0 to 49 .* for sample 'a', found -1"),
    (lambda t: t.assign(input_row=0.5), "whole numbers in column 'input_row' .* found float64"),
    (lambda t: t.assign(sample="dreamt"), "samples of the input .* found 'dreamt'"),
    (lambda t: t.assign(sample=None), "samples of the input .* found 'nothing'"),
    (lambda t: t.drop(columns="sample"), "expected column 'sample' beside 'input_row'"),
]


@pytest.mark.parametrize(("spoil", "said"), SPOILED)
def test_rows_that_are_not_there(tables: Any, spoil: Any, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        ChosenRows.of(spoil(FOUND), "data", tables)


def test_only_tables_with_numbers_are_completed() -> None:
    assert has_numbers(FOUND)
    assert not has_numbers(FOUND.drop(columns=INPUT_ROW))
    assert not has_numbers([INPUT_ROW])
