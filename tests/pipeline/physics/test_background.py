"""Families of background functions: normalisation, gradients, names; and templates."""

import numpy as np
import pytest
from scipy.integrate import quad

from pipeline.physics.background import (
    FAMILIES,
    BinnedFamily,
    Family,
    Template,
)
from tests.pipeline.physics.fits import family

RANGE = (105.0, 160.0)
EDGES = np.linspace(*RANGE, 111)


def binned(each: Family, edges: np.ndarray = EDGES) -> BinnedFamily:
    return BinnedFamily(each, edges[:-1], edges[1:], RANGE)


def shape_of(each: Family, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.6, 0.3, each.n_parameters)


@pytest.mark.parametrize("each", FAMILIES, ids=lambda f: f.name)
def test_bins_that_tile_the_range_sum_to_one(each: Family) -> None:
    assert binned(each).fractions(shape_of(each))[0].sum() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("each", FAMILIES, ids=lambda f: f.name)
def test_bins_are_integrals_of_the_density(each: Family) -> None:
    theta, edges = shape_of(each), np.array([105.0, 107.5, 130.0, 131.0])
    found = binned(each, edges).fractions(theta)[0]
    for k in (0, 2):
        expected, _ = quad(
            lambda m: float(each.density(np.array([m]), theta, RANGE)[0]), *edges[k : k + 2]
        )
        assert found[k] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("each", FAMILIES, ids=lambda f: f.name)
def test_gradient_is_that_of_the_fractions(each: Family) -> None:
    theta, function = shape_of(each), binned(each)
    gradient = function.fractions(theta)[1]
    for k, step in enumerate(1e-5 * np.eye(each.n_parameters)):
        up, down = function.fractions(theta + step)[0], function.fractions(theta - step)[0]
        assert gradient[k] == pytest.approx((up - down) / 2e-5, abs=1e-9)


@pytest.mark.parametrize("each", FAMILIES, ids=lambda f: f.name)
def test_no_parameters_is_flat(each: Family) -> None:
    fractions = binned(each).fractions(np.zeros(each.n_parameters))[0]
    assert fractions == pytest.approx(np.full(110, 1 / 110), rel=1e-12)
    assert len(each.parameters) == each.n_parameters


def test_exponential_has_its_analytic_integral() -> None:
    slope = 27.0
    theta = np.array([-(RANGE[1] - RANGE[0]) / 2 / slope])
    expected = np.diff(-np.exp(-(EDGES - 105) / slope)) / (1 - np.exp(-55 / slope))
    found = binned(family("exponential")).fractions(theta)[0]
    assert found == pytest.approx(expected, rel=1e-10)


def test_power_law_falls_with_its_power() -> None:
    density = family("power law").density(np.array([110.0, 150.0]), np.array([-3.0]), RANGE)
    assert density[0] / density[1] == pytest.approx((150 / 110) ** 3, rel=1e-12)


def test_far_away_parameters_do_not_overflow() -> None:
    for each in FAMILIES:
        fractions, gradient = binned(each).fractions(np.full(each.n_parameters, 500.0))
        assert np.isfinite(fractions).all()
        assert np.isfinite(gradient).all()


def test_template_keeps_a_little_in_empty_and_negative_bins() -> None:
    mass, weight = np.array([105.5, 106.5, 106.6, 109.9]), np.array([4.0, 1.0, -2.0, 4.0])
    template = Template.from_events(mass, weight, np.linspace(105, 110, 6))
    assert template.contents.sum() == pytest.approx(1.0)
    assert template.contents[1] == pytest.approx(1e-3 * template.contents[0] * 8 / 4 / 5)
    assert template.fractions(np.empty(0))[1].shape == (0, 5)


def test_template_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="found 1 events with total weight -1"):
        Template.from_events(np.array([106.0]), np.array([-1.0]), np.linspace(105, 110, 6))
