"""Asimov significances and the greedy search, against the worked numbers of physics.md."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.physics.significance import (
    Scores,
    SignificanceRule,
    asimov_z,
    category_index,
    combine,
    gain,
    greedy_steps,
)

EXAMPLE = Scores(
    # Cells below 0.36, 0.36-0.60, 0.60-0.73, 0.73-0.88 and above: events found numerically so that
    # the search takes the steps of physics.md.
    np.array([0.2, 0.5, 0.65, 0.8, 0.95]),
    np.array([9.643, 1.0139, 3.5551, 1.5483, 1.2189]),
    np.array([0.2, 0.5, 0.65, 0.8, 0.95]),
    np.array([182.2, 3.02, 20.39, 1.32, 3.59]),
)


def test_worked_example_of_one_category() -> None:
    assert round(asimov_z(1.483, 0.9344), 3) == 1.277


def test_worked_example_of_the_combination() -> None:
    assert round(combine([1.277, 1.030, 0.6142, 0.0824]), 3) == 1.754


def test_worked_example_of_the_greedy_search() -> None:
    steps = greedy_steps(EXAMPLE, SignificanceRule())
    # Candidates inside one cell are equivalent: the search takes the lowest of them.
    cells = [int(np.searchsorted([0.2, 0.5, 0.65, 0.8, 0.95], s.boundary)) for s in steps]
    assert cells == [3, 4, 1, 2]
    assert [round(s.combined, 3) for s in steps[:3]] == [1.513, 1.640, 1.752]
    assert [s.accepted for s in steps] == [True, True, True, False]
    assert round(100 * steps[3].gain, 1) == 0.9
    assert round(100 * steps[0].gain) == 31
    named = greedy_steps(EXAMPLE, SignificanceRule(), candidates=(0.36, 0.60, 0.73, 0.88))
    assert [s.boundary for s in named] == [0.73, 0.88, 0.36, 0.60]


@pytest.mark.parametrize(("s", "b"), [(0, 1), (-1, 1), (1, 0), (1, -1), (-1, -1)])
def test_no_signal_or_no_background_is_no_significance(s: float, b: float) -> None:
    assert asimov_z(s, b) == 0.0


def test_nan_is_an_error() -> None:
    with pytest.raises(ValueError, match="s=nan"):
        asimov_z(math.nan, 1.0)


@given(st.floats(1e-6, 1e4), st.floats(1e-3, 1e6))
def test_grows_with_signal_and_stays_below_s_over_root_b(s: float, b: float) -> None:
    z = asimov_z(s, b)
    assert 0 < z <= s / math.sqrt(b) * (1 + 1e-12)
    assert asimov_z(1.01 * s, b) > z


def test_series_and_formula_meet() -> None:
    below, above = asimov_z(0.99999e-4 * 1e6, 1e6), asimov_z(1.00001e-4 * 1e6, 1e6)
    assert above / below == pytest.approx(1.00002, rel=1e-7)


def test_splitting_never_lowers_the_combined_significance() -> None:
    rng = np.random.default_rng(3)
    scores = Scores(
        rng.beta(4, 2, 2000), np.full(2000, 0.05), rng.beta(2, 3, 5000), np.full(5000, 0.2)
    )
    rule = SignificanceRule()
    steps = greedy_steps(scores, rule)
    reached = [combine(scores.significances([], rule)), *(s.combined for s in steps)]
    assert reached == sorted(reached)
    accepted = [s.boundary for s in steps if s.accepted]
    assert combine(scores.significances(sorted(accepted), rule)) == pytest.approx(
        max(s.combined for s in steps if s.accepted)
    )


def test_each_category_keeps_its_background() -> None:
    scores = Scores(np.array([0.95]), np.array([5.0]), np.array([0.2, 0.9]), np.array([9.5, 0.5]))
    assert greedy_steps(scores, SignificanceRule(min_background=0.8)) == []
    (step, *_) = greedy_steps(scores, SignificanceRule(min_background=0.4))
    assert step.accepted
    assert 0.2 < step.boundary <= 0.9


def test_stops_at_the_largest_number_of_boundaries() -> None:
    rng = np.random.default_rng(4)
    scores = Scores(rng.random(500), np.full(500, 1.0), rng.random(500) ** 4, np.full(500, 1.0))
    steps = greedy_steps(scores, SignificanceRule(min_gain=0.0, max_boundaries=2))
    assert [s.accepted for s in steps] == [True, True]


def test_history_of_given_boundaries_is_in_order_of_gain_and_ends_with_a_refusal() -> None:
    steps = greedy_steps(EXAMPLE, SignificanceRule(), given=[0.36, 0.73])
    assert [s.boundary for s in steps[:2]] == [0.73, 0.36]
    assert [s.accepted for s in steps] == [True, True, False]
    assert 0.8 < steps[2].boundary <= 0.95


def test_a_score_on_a_boundary_lies_above_it() -> None:
    assert category_index([0.0, 0.35999, 0.36, 0.73, 1.0], [0.36, 0.73]).tolist() == [0, 0, 1, 2, 2]


def test_negative_weights_count() -> None:
    scores = Scores(np.array([0.9, 0.9]), np.array([3.0, -1.0]), np.array([0.9]), np.array([4.0]))
    assert scores.significances([], asimov_z) == [asimov_z(2.0, 4.0)]


def test_gain_from_nothing() -> None:
    assert (gain(0.0, 1.0), gain(0.0, 0.0), gain(2.0, 2.1)) == (1.0, 0.0, pytest.approx(0.05))
