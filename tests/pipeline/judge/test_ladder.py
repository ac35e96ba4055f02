"""Each rung of the ladder, with the faults that must and must not pass it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.judge.ladder import compare_tables
from pipeline.judge.verdict import rung_reached
from tests.pipeline.judge.tables import converted


def rung(found: pd.DataFrame, expected: pd.DataFrame, weight: str | None = "weight"):
    return rung_reached(compare_tables("table", found, expected, weight=weight))


def failing(found: pd.DataFrame, expected: pd.DataFrame) -> set[str]:
    checks = compare_tables("table", found, expected, weight="weight")
    return {c.name.removeprefix("table: ") for c in checks if not c.passed}


@pytest.fixture
def table() -> pd.DataFrame:
    return converted()


def test_the_same_bits_are_exact_and_nothing_else_is_asked(table) -> None:
    checks = compare_tables("table", table.copy(), table)
    assert [(c.rung, c.passed) for c in checks] == [("exact", True)]


@given(st.integers(0, 2**31))
def test_rows_in_another_order_are_a_permutation(seed) -> None:
    table = converted(300)
    mixed = table.sample(frac=1, random_state=seed).reset_index(drop=True)
    assert rung(mixed, table) == ("exact" if mixed.equals(table) else "permutation")


def test_columns_in_another_order_are_a_permutation(table) -> None:
    assert rung(table[table.columns[::-1]], table) == "permutation"


def test_rounding_is_a_permutation_and_more_is_not(table) -> None:
    assert rung(table.assign(m_yy=table.m_yy * (1 + 5e-10)), table) == "permutation"
    assert rung(table.assign(m_yy=table.m_yy * (1 + 1e-8)), table) == "statistical"
    assert rung(table.assign(ph1_pt=table.ph1_pt * np.float32(1 + 4e-7)), table) == "permutation"
    assert rung(table.assign(ph1_pt=table.ph1_pt * np.float32(1 + 1e-5)), table) == "statistical"


def test_a_few_other_rows_are_statistical(table) -> None:
    moved = pd.concat([table.iloc[4:], converted(4, seed=9).assign(run_number=1)])
    assert rung(moved.reset_index(drop=True), table) == "statistical"


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_dropped_rows_reach_no_rung(table, share) -> None:
    kept = table.sample(frac=1 - share, random_state=2)
    assert rung(kept, table) is None
    assert {"events", "rows"} <= failing(kept, table)


def test_a_small_one_sided_loss_is_seen_where_there_are_events_enough() -> None:
    table = converted(60_000)
    kept = table.drop(index=table.index[::240])  # 0.42 %: below the share, 16 sigma of its own
    assert failing(kept, table) >= {"rows"}


def test_replaced_rows_fail_though_the_yield_is_right(table) -> None:
    other = pd.concat([table.iloc[20:], converted(20, seed=9).assign(run_number=1)])
    assert rung(other, table) is None
    assert "events" in failing(other, table)
    assert "rows" not in failing(other, table)


@pytest.mark.parametrize("column", ["m_yy", "ph1_tight", "n_bjets", "lep1_pt", "weight"])
def test_a_shuffled_column_fails_though_its_distribution_is_right(table, column) -> None:
    values = np.random.default_rng(4).permutation(table[column].to_numpy())
    shuffled = table.assign(**{column: values})
    assert rung(shuffled, table) is None
    assert "values event by event" in failing(shuffled, table)
    if column != "weight":
        assert "rows" not in failing(shuffled, table)


def test_mev_for_gev_fails(table) -> None:
    assert rung(table.assign(ph1_pt=table.ph1_pt * np.float32(1000)), table) is None


def test_unsigned_weights_fail_in_their_sum(table) -> None:
    unsigned = table.assign(weight=table.weight.abs())
    assert rung(unsigned, table) is None
    assert "sum of weight" in failing(unsigned, table)


def test_a_common_factor_of_the_weights_is_no_fluctuation() -> None:
    table = converted(20_000)
    scaled = table.assign(weight=table.weight * 1.004)
    assert failing(scaled, table) >= {"sum of weight"}


def test_constants_and_random_values_fail(table) -> None:
    assert rung(table.assign(m_yy=125.0), table) is None
    random = np.random.default_rng(8).normal(125.0, 2.0, len(table))
    assert rung(table.assign(m_yy=random), table) is None


def test_missing_values_are_values(table) -> None:
    assert rung(table.assign(lep1_pt=table.lep1_pt.fillna(0)), table) is None


def test_a_missing_column_is_named(table) -> None:
    checks = compare_tables("table", table.drop(columns="n_bjets"), table, weight="weight")
    assert rung_reached(checks) is None
    assert any("n_bjets (missing)" in c.detail for c in checks)
    without = compare_tables("table", table.drop(columns="event_number"), table)
    assert rung_reached(without) is None
    assert "event_number" in without[-1].detail


def test_two_tables_reach_what_the_worse_one_reaches(table) -> None:
    mixed = table.sample(frac=1, random_state=3)
    both = compare_tables("a", table.copy(), table) + compare_tables("b", mixed, table)
    assert rung_reached(both) == "permutation"


def test_empty_tables_agree(table) -> None:
    assert rung(table.iloc[:0], table.iloc[:0]) == "exact"
    assert rung(table.iloc[:0], table) is None
    assert rung(table, table.iloc[:0]) is None
