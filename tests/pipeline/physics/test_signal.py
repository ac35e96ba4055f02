"""The double-sided Crystal Ball: density, integral, and the fit to weighted events."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from pipeline.physics.signal import DoubleCrystalBall, fit_shape

RANGE = (105.0, 160.0)
SHAPE = DoubleCrystalBall(125.0, 1.6, alpha_low=1.4, n_low=5.0, alpha_high=1.7, n_high=8.0)


def draw(shape: DoubleCrystalBall, n: int, seed: int = 0) -> np.ndarray:
    grid = np.linspace(60, 260, 400_001)
    return np.interp(np.random.default_rng(seed).random(n), shape.cdf(grid), grid)


def test_density_integrates_to_one_and_cdf_is_its_integral() -> None:
    points = [100.0, 122.76, 125.0, 127.72, 150.0]
    parts = [quad(lambda m: float(SHAPE.density(m)), a, b)[0] for a, b in pairwise(points)]
    found = np.diff(SHAPE.cdf(points))
    assert found == pytest.approx(parts, rel=1e-9)
    assert float(SHAPE.cdf(-1e7)) == pytest.approx(0.0, abs=1e-12)
    assert float(SHAPE.cdf(1e7)) == pytest.approx(1.0, abs=1e-12)


def test_is_continuous_where_core_and_tails_meet() -> None:
    for edge in (125 - 1.4 * 1.6, 125 + 1.7 * 1.6):
        below, above = SHAPE.density([edge - 1e-9, edge + 1e-9])
        assert below == pytest.approx(above, rel=1e-7)


def test_far_tails_follow_their_power() -> None:
    gaussian = DoubleCrystalBall(125.0, 1.6, 4.0, 40.0, 4.0, 40.0)
    masses = np.linspace(121, 129, 33)
    assert gaussian.density(masses) == pytest.approx(norm.pdf(masses, 125, 1.6), rel=1e-3)
    # density ~ (offset - t)^-n: ratio at two points of the lower tail
    offset = 5.0 / 1.4 - 1.4
    t = (np.array([105.0, 110.0]) - 125) / 1.6
    low, high = SHAPE.density([105.0, 110.0])
    assert low / high == pytest.approx(((offset - t[0]) / (offset - t[1])) ** -5, rel=1e-10)


def test_fit_finds_the_shape_again() -> None:
    found = fit_shape(draw(SHAPE, 40_000, seed=1), np.ones(40_000), RANGE, 125.0)
    assert found.mean == pytest.approx(125.0, abs=0.03)
    assert found.sigma == pytest.approx(1.6, abs=0.04)
    assert found.cdf([121.0, 123.0, 127.0, 129.0, 135.0]) == pytest.approx(
        SHAPE.cdf([121.0, 123.0, 127.0, 129.0, 135.0]), abs=0.006
    )


def test_negative_weights_cancel_events_of_another_shape() -> None:
    wrong = draw(replace(SHAPE, mean=121.0), 8_000, seed=2)
    mass = np.concatenate([draw(SHAPE, 40_000, seed=1), wrong, wrong[::-1]])
    weight = np.concatenate([np.ones(48_000), -np.ones(8_000)])
    clean = fit_shape(mass[:40_000], weight[:40_000], RANGE, 125.0)
    found = fit_shape(mass, weight, RANGE, 125.0)
    assert found.mean == pytest.approx(clean.mean, abs=1e-3)
    assert found.sigma == pytest.approx(clean.sigma, abs=1e-3)
    positive = fit_shape(mass, np.abs(weight), RANGE, 125.0)
    assert positive.mean < clean.mean - 0.2


def test_few_events_keep_the_tails_of_the_fallback() -> None:
    found = fit_shape(draw(SHAPE, 150), np.ones(150), RANGE, 125.0, fallback=SHAPE)
    assert (found.alpha_low, found.n_low, found.alpha_high, found.n_high) == (1.4, 5.0, 1.7, 8.0)
    assert found.mean == pytest.approx(125.0, abs=0.6)
    assert found.mean != 125.0


@pytest.mark.parametrize(
    ("mass", "weight"),
    [([], []), ([125.0] * 5, [1.0] * 5), ([125.0, np.nan], [-1.0, 1.0]), ([20.0], [1.0])],
)
def test_hardly_any_events_give_the_fallback(mass: list[float], weight: list[float]) -> None:
    assert fit_shape(mass, weight, RANGE, 125.0, fallback=SHAPE) == SHAPE
    assert fit_shape(mass, weight, RANGE, 125.0) == DoubleCrystalBall(125.0, 1.5)
