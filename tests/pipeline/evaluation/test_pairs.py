"""Paired comparisons against published values, by hand, and under a true null hypothesis."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.pairs import (
    DoubleCellError,
    all_pairs,
    by_setting,
    compare,
    holm,
    mcnemar,
    newcombe,
)
from tests.pipeline.evaluation.made import failed_cell, made_cell, outcomes

NAMES = ("a", "b")
T, F = True, False


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 5, 1.0),
        (5, 0, 2 / 2**5),
        (1, 7, 2 * (1 + 8) / 2**8),  # Bentur et al. 2009, in Fagerland et al. 2013: 0.0703
        (2, 8, 2 * (1 + 10 + 45) / 2**10),
    ],
)
def test_mcnemar_by_hand(only_a: int, only_b: int, p: float) -> None:
    assert mcnemar(only_a, only_b) == pytest.approx(p)
    assert mcnemar(only_b, only_a) == pytest.approx(p)


def test_the_published_interval_of_a_paired_difference() -> None:
    # The same 21 children, Fagerland, Lydersen and Laake, Stat. Med. 33 (2014) 2850.
    assert newcombe(1, 1, 7, 12) == pytest.approx((-0.507, -0.026), abs=5e-4)


@given(st.tuples(*[st.integers(0, 12)] * 4).filter(any))
def test_the_interval_contains_the_difference_and_mirrors(table: tuple[int, ...]) -> None:
    both, only_a, only_b, neither = table
    low, high = newcombe(both, only_a, only_b, neither)
    assert -1 <= low <= (only_a - only_b) / sum(table) + 1e-12
    assert (only_a - only_b) / sum(table) <= high + 1e-12 <= 1 + 1e-12
    assert newcombe(both, only_b, only_a, neither) == pytest.approx((-high, -low), abs=1e-9)


def test_the_interval_of_a_paired_difference_covers() -> None:
    """Trials differ in difficulty: both pass the easy ones."""
    random = np.random.default_rng(3)
    table = np.array([0.35, 0.25, 0.1, 0.3])
    drawn = random.multinomial(20, table, size=3000)
    covered = [low <= 0.15 <= high for low, high in (newcombe(*map(int, row)) for row in drawn)]
    assert 0.935 < np.mean(covered) < 0.985


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_between_nothing_and_bonferroni(values: list[float]) -> None:
    for value, corrected in zip(values, holm(values), strict=True):
        assert value <= corrected <= min(1.0, value * len(values)) + 1e-12


def test_many_equal_configurations_rarely_differ() -> None:
    """Six configurations with one true rate: in at most 5 % of sweeps is any pair significant."""
    random = np.random.default_rng(4)
    wrong = 0
    for _ in range(300):
        passed = random.random((6, 12)) < 0.5
        found = [
            mcnemar(int((passed[i] & ~passed[j]).sum()), int((passed[j] & ~passed[i]).sum()))
            for i in range(6)
            for j in range(i)
        ]
        wrong += min(holm(found)) < 0.05
    assert wrong / 300 < 0.05


def test_cells_are_paired_by_stage_and_trial() -> None:
    a = outcomes([T, T, T, F], model="a")
    b = outcomes([F, F, T, T, T], model="b")
    whole, convert = compare(a, b, NAMES)
    assert (convert.stage, convert.n, convert.unpaired) == ("convert", 4, 1)
    assert (convert.only_a, convert.only_b) == (2, 1)
    assert (convert.rate_a.value, convert.rate_b.value) == (0.75, 0.5)
    assert convert.difference == pytest.approx(0.25)
    assert convert.p == pytest.approx(1.0)
    assert (whole.stage, whole.n) == ("all", 4)


def test_the_order_of_cells_does_not_matter() -> None:
    a, b = outcomes([T, F, T, T]), outcomes([F, F, T, F])
    assert compare(a, b, NAMES) == compare(a[::-1], b[::-1], NAMES)


def test_what_is_not_the_models_is_in_no_pair() -> None:
    a = (failed_cell(attribution="endpoint", trial=0), *outcomes([T, T])[1:])
    whole, _ = compare(a, outcomes([T, F]), NAMES)
    assert (whole.n, whole.unpaired, whole.only_a) == (1, 1, 1)


def test_not_reached_by_its_own_failure_is_not_passed() -> None:
    a = [made_cell(outcome="not_reached", rung=None, trial=t) for t in range(3)]
    whole, _ = compare(a, outcomes([T, T, F]), NAMES)
    assert (whole.n, whole.rate_a.value, whole.only_b) == (3, 0.0, 2)
    held_up = failed_cell(attribution="endpoint").failure
    whole, _ = compare([replace(c, failure=held_up) for c in a], outcomes([T, T, F]), NAMES)
    assert (whole.n, whole.difference, whole.low, whole.p) == (0, None, None, 1.0)


def test_two_cells_for_one_trial_are_refused() -> None:
    a = (*outcomes([T]), *outcomes([F], setting="chain=chained", point="q"))
    with pytest.raises(DoubleCellError, match="name one configuration as RUN:CONFIG"):
        compare(a, outcomes([T]), NAMES)
    whole, _ = compare(a, a, NAMES, by_setting)
    assert whole.n == 2


def test_all_pairs_of_a_sweep_are_corrected_together() -> None:
    cells = [
        *outcomes([T] * 8, model="a"),
        *outcomes([F] * 8, model="b"),
        *outcomes([T] * 4 + [F] * 4, model="c"),
        made_cell(model="reference", outcome="reference", rung=None),
    ]
    rows = all_pairs(cells)
    whole = [row for row in rows if row.stage == "all"]
    assert [(row.a, row.b) for row in whole] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [row.p for row in whole] == pytest.approx([2 / 2**8, 2 / 2**4, 2 / 2**4])
    assert [row.p_holm for row in whole] == pytest.approx([6 / 2**8, 4 / 2**4, 4 / 2**4])
    assert math.isclose(whole[0].difference or 0.0, 1.0)
