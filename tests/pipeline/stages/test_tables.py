"""Tables between stages: one order whatever the order of rows, and clear words about bad ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.contract import ContractError
from pipeline.stages.tables import (
    accept_table,
    count_rows,
    expect_mapping,
    in_order,
    read_tables,
    write_tables,
)


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "run_number": [2, 1, 1, 1, 1],
            "event_number": [1, 7, 7, 5, 7],
            "sample": ["b", "b", "a", "a", "b"],
            "x": [0.5, np.nan, 1.0, 2.0, 3.0],
        }
    )


def test_order_is_by_identity_then_by_everything_else() -> None:
    ordered = in_order(table())
    assert ordered["event_number"].tolist() == [5, 7, 7, 7, 1]
    assert ordered["sample"].tolist() == ["a", "a", "b", "b", "b"]
    assert ordered["x"].fillna(-1).tolist() == [2.0, 1.0, 3.0, -1.0, 0.5]
    assert ordered.index.tolist() == [0, 1, 2, 3, 4]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(5)))
def test_any_order_of_rows_gives_the_same_table(order: list[int]) -> None:
    pd.testing.assert_frame_equal(in_order(table().iloc[order]), in_order(table()))


def test_accepts_more_columns_and_puts_rows_in_order() -> None:
    accepted = accept_table(table(), "data", ["x", "sample"])
    pd.testing.assert_frame_equal(accepted, in_order(table()))


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([1, 2], "'data' to be a pandas DataFrame, found list"),
        (pd.DataFrame({"x": [1.0]}), "to have the columns weight, found x"),
        (pd.DataFrame({"x": [1.0], "weight": [np.nan]}), "finite numbers in column 'weight'"),
        (pd.DataFrame({"x": [1.0], "weight": ["a"]}), "numbers in column 'weight' of table 'data'"),
    ],
)
def test_says_what_is_wrong(found: object, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        accept_table(found, "data", ["x", "weight"], finite=["weight"])


def test_mapping_must_have_its_names() -> None:
    assert expect_mapping({"a": 1, "b": 2}, ("b", "a"), "f") == {"a": 1, "b": 2}
    with pytest.raises(ContractError, match=r"expected f to return a dict of \['a', 'b'\]"):
        expect_mapping({"a": 1}, ("a", "b"), "f")
    with pytest.raises(ContractError, match="found 'NoneType'"):
        expect_mapping(None, ("a", "b"), "f")


def test_tables_are_kept_and_read_again(tmp_path: Path) -> None:
    write_tables(tmp_path, {"signal": in_order(table()), "data": in_order(table()).iloc[:0]})
    again = read_tables(tmp_path, ("signal", "data"))
    pd.testing.assert_frame_equal(again["signal"], in_order(table()))
    assert list(again["data"].columns) == list(table().columns)
    assert (count_rows(tmp_path / "signal.parquet"), count_rows(tmp_path / "data.parquet")) == (
        5,
        0,
    )
