"""Intervals against published values, and how often they cover what is true."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.evaluation.intervals import mean, rate, ratio, share, wilson


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [
        # R. G. Newcombe, Stat. Med. 17 (1998) 857, table I, method 3 (score).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # All, and none: n / (n + z²) and z² / (n + z²).
        (10, 10, 0.7225, 1.0000),
        (0, 10, 0.0000, 0.2775),
    ],
)
def test_wilson_is_the_published_interval(passed: int, n: int, low: float, high: float) -> None:
    assert wilson(passed, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys_contains_the_rate_and_mirrors(counts: tuple[int, int]) -> None:
    passed, n = counts
    low, high = wilson(passed, n)
    theirs = stats.binomtest(passed, n).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert 0 <= low <= passed / n <= high <= 1
    assert low < high
    assert wilson(n - passed, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize(("passed", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_proportion(passed: int, n: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= passed <= n"):
        wilson(passed, n)


def test_a_rate_without_trials_has_no_value() -> None:
    assert (rate(0, 0).value, rate(0, 0).low, rate(3, 4).value) == (None, None, 0.75)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("n", [10, 20])
def test_wilson_covers_the_true_rate(p: float, n: int) -> None:
    """Exactly, over all outcomes: no simulation is needed."""
    limits = [wilson(k, n) for k in range(n + 1)]
    covered = math.fsum(
        stats.binom.pmf(k, n, p) for k, (low, high) in enumerate(limits) if low <= p <= high
    )
    assert 0.92 < covered < 0.99


def test_a_mean_has_students_interval() -> None:
    # Student (1908), the additional sleep of ten patients with soporific 2: 2.33 ± 2.262 * 0.633.
    sleep = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = mean(sleep)
    assert (found.n, found.value, found.total) == (10, pytest.approx(2.33), pytest.approx(23.3))
    assert (found.low, found.high) == (
        pytest.approx(0.898, abs=1e-3),
        pytest.approx(3.762, abs=1e-3),
    )


def test_means_of_few_values() -> None:
    assert mean([]).value is None
    assert (mean([3.0]).value, mean([3.0]).low, mean([3.0]).high) == (3.0, None, None)
    assert (mean([2.0, 2.0]).low, mean([2.0, 2.0]).high) == (2.0, 2.0)
    assert mean([0.0, 5.0], at_least=0.0).low == 0.0


def test_the_interval_of_a_mean_covers() -> None:
    random = np.random.default_rng(1)
    covered = sum(
        low <= 10.0 <= high
        for found in (mean(list(random.normal(10.0, 3.0, 8))) for _ in range(2000))
        if (low := found.low) is not None and (high := found.high) is not None
    )
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)


def test_the_interval_of_a_ratio_covers() -> None:
    """Calls per cell vary, and more of them are lost where there are more."""
    random = np.random.default_rng(2)
    covered = 0
    for _ in range(2000):
        calls = random.integers(3, 12, 20)
        found = share(list(random.binomial(calls, 0.4)), list(calls))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.4 <= found.high
    assert 0.92 < covered / 2000 < 0.97


def test_a_ratio_by_hand() -> None:
    found = ratio([1.0, 3.0], [2.0, 2.0])  # 4 / 4; residuals -1 and 1, so 12.706 * sqrt(4) / 4
    assert (found.value, found.low, found.total) == (1.0, 0.0, 4.0)
    assert found.high == pytest.approx(1 + 12.706 * 2 / 4, abs=1e-3)
    assert ratio([1.0, 1.0], [0.0, 0.0]).value is None
    assert ratio([], []).n == 0


def test_a_share_of_nothing_or_everything_is_not_certain() -> None:
    none, everything = share([0, 0, 0], [3, 3, 9]), share([3, 3], [3, 3])
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(wilson(0, 3)[1])
    assert (everything.value, everything.high) == (1.0, 1.0)
    assert everything.low == pytest.approx(wilson(2, 2)[0])
