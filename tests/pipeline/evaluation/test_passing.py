"""pass@k against counting every draw, and its interval against what is true."""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.evaluation.intervals import wilson
from pipeline.evaluation.passing import pass_at, unbiased

COUNTS = st.integers(1, 9).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(1, n))
)


@given(COUNTS)
def test_the_estimator_is_the_share_of_all_draws(counts: tuple[int, int, int]) -> None:
    passed, n, k = counts
    draws = list(combinations([True] * passed + [False] * (n - passed), k))
    assert unbiased(k, passed, n) == pytest.approx(sum(map(any, draws)) / len(draws))


@pytest.mark.parametrize(("n", "k"), [(10, 1), (10, 3), (10, 10), (20, 5)])
@pytest.mark.parametrize("p", [0.05, 0.3, 0.8])
def test_the_estimator_is_unbiased(n: int, k: int, p: float) -> None:
    expected = math.fsum(stats.binom.pmf(c, n, p) * unbiased(k, c, n) for c in range(n + 1))
    assert expected == pytest.approx(1 - (1 - p) ** k)


def test_pass_at_1_of_one_stage_is_the_rate_with_wilson() -> None:
    found = pass_at(1, [(3, 10)])
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(0.3), 10)
    assert (found.low, found.high) == pytest.approx(wilson(3, 10))


def test_too_few_trials_give_no_pass_at_k() -> None:
    assert pass_at(5, [(3, 10), (2, 4)]) is None
    assert pass_at(1, []) is None


@given(COUNTS)
def test_the_interval_contains_the_estimate(counts: tuple[int, int, int]) -> None:
    passed, n, k = counts
    found = pass_at(k, [(passed, n), (0, n)])
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("rates", [(0.2,), (0.5,), (0.3, 0.7)])
def test_the_interval_covers(k: int, rates: tuple[float, ...]) -> None:
    """Exactly, over all outcomes of ten trials per stage."""
    true = sum(1 - (1 - p) ** k for p in rates) / len(rates)
    covered = 0.0
    outcomes = [()] if not rates else [(c,) for c in range(11)]
    if len(rates) == 2:
        outcomes = [(a, b) for a in range(11) for b in range(11)]  # type: ignore[misc]
    for counts in outcomes:
        found = pass_at(k, [(c, 10) for c in counts])
        assert found is not None
        if found.low <= true <= found.high:
            pairs = zip(counts, rates, strict=True)
            covered += math.prod(stats.binom.pmf(c, 10, p) for c, p in pairs)
    assert covered > 0.93
