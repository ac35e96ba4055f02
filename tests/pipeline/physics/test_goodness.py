"""Chi-square over merged bins."""

import numpy as np
import pytest

from pipeline.physics.goodness import chi_square


def test_plain_chi_square() -> None:
    found = chi_square(np.array([12.0, 8.0, 10.0]), np.array([10.0, 10.0, 10.0]), 1)
    assert (found.chi2, found.ndf) == (pytest.approx(0.8), 2)
    assert found.probability == pytest.approx(np.exp(-0.4))


def test_bins_are_merged_until_five_are_expected() -> None:
    counts, expected = np.array([3.0, 4.0, 9.0, 1.0]), np.array([2.0, 4.0, 8.0, 1.0])
    found = chi_square(counts, expected, 0)
    assert (found.chi2, found.ndf) == (pytest.approx(1 / 6 + 1 / 9), 2)


def test_only_used_bins_count() -> None:
    used = np.array([True, False, True])
    found = chi_square(np.array([10.0, 1e6, 10.0]), np.full(3, 10.0), 0, used)
    assert (found.chi2, found.ndf, found.probability) == (0.0, 2, 1.0)


def test_too_few_events_cannot_speak_against_anything() -> None:
    found = chi_square(np.array([4.0, 0.0]), np.array([1.0, 1.0]), 2)
    assert (found.ndf, found.probability) == (0, 1.0)


def test_probability_is_flat_for_true_expectations() -> None:
    rng = np.random.default_rng(1)
    expected = np.linspace(60, 20, 50)
    found = [chi_square(rng.poisson(expected) + 0.0, expected, 0).probability for _ in range(300)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)
    assert np.mean(np.array(found) < 0.1) == pytest.approx(0.1, abs=0.06)
