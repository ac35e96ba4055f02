"""Errors of counts, and averages of curves over bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.numbers.binned import (
    bin_averages,
    count,
    edges_between,
    histogram,
    poisson_errors,
    weigh,
)


def test_poisson_errors_are_the_published_ones() -> None:
    """Garwood intervals as tabulated: one-sided 84.1 % on either side."""
    low, high = poisson_errors(np.array([0.0, 1.0, 3.0, 10.0]))
    assert low == pytest.approx([0.0, 0.8272, 1.6327, 3.1087], abs=2e-4)
    assert high == pytest.approx([1.8410, 2.2995, 2.9182, 4.2669], abs=2e-4)


def test_poisson_errors_of_many_events_are_square_roots() -> None:
    low, high = poisson_errors(np.array([1e4]))
    assert low[0] == pytest.approx(100, abs=0.6)
    assert high[0] == pytest.approx(100, abs=1.1)


def test_counts_and_weights() -> None:
    edges = edges_between(105, 160, 2.5)
    masses = np.array([105.0, 124.9, 125.0, 160.0, 200.0, np.nan])
    data = count(masses[:5], edges)
    assert data.values.sum() == 4
    assert data.values[8] == 1  # 125.0 belongs to the bin that begins there
    weighted = weigh(np.array([110.0, 110.5]), np.array([2.0, -0.5]), edges)
    assert weighted.values[2] == 1.5
    assert weighted.high[2] == pytest.approx(np.sqrt(4.25))


def test_a_width_that_leaves_a_rest_is_refused() -> None:
    with pytest.raises(ValueError, match="fill 105 to 160, found a width of 2"):
        edges_between(105, 160, 2)


@given(st.lists(st.floats(0, 1e3), min_size=3, max_size=40), st.integers(1, 60))
def test_averages_over_bins_keep_the_integral(density: list[float], bins: int) -> None:
    position = np.linspace(105, 160, len(density))
    edges = np.linspace(105, 160, bins + 1)
    found = bin_averages(position, np.array(density), edges) * np.diff(edges)
    assert found.sum() == pytest.approx(np.trapezoid(density, position), rel=1e-9, abs=1e-9)


def test_the_average_of_a_line_is_its_middle() -> None:
    position = np.linspace(0, 10, 7)
    found = bin_averages(position, 3 * position, np.array([1.0, 2.0, 5.0]))
    assert found == pytest.approx([4.5, 10.5])


def test_a_histogram_has_the_axis_that_fits() -> None:
    regular = histogram(np.array([0.0, 1, 2]), np.array([3.0, 4]), "m", "mass", np.array([9.0, 16]))
    assert type(regular.axes[0]).__name__ == "Regular"
    assert regular.values().tolist() == [3, 4]
    assert regular.variances().tolist() == [9, 16]
    variable = histogram(np.array([0.0, 1, 3]), np.array([3.0, 4]), "m", "mass")
    assert variable.axes[0].edges.tolist() == [0, 1, 3]
    assert variable.sum() == 7
