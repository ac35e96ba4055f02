"""A score that bends the mass spectrum is found; an innocent one stays within statistics."""

import numpy as np
import pytest

from pipeline.physics.sculpting import sculpting


def falling(n: int, seed: int) -> np.ndarray:
    return 105 + np.random.default_rng(seed).exponential(20, n)


def test_an_innocent_score_is_within_statistics() -> None:
    p_values, pulls = [], []
    for seed in range(60):
        mass = falling(3000, seed)
        score = np.random.default_rng(1000 + seed).random(3000)
        found = sculpting(mass, score, np.ones(3000), 0.7)
        p_values.append(found.p_value)
        pulls.append((found.distance - found.expected) / found.spread)
    assert np.mean(pulls) == pytest.approx(0.0, abs=0.4)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.25)
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.12)


def test_a_score_that_knows_the_mass_is_found() -> None:
    mass = falling(3000, 1)
    score = np.exp(-(((mass - 125) / 8) ** 2))
    found = sculpting(mass, score, np.ones(3000), 0.5)
    assert found.p_value < 1e-20
    assert found.distance > found.expected + 10 * found.spread


def test_weights_count_through_effective_entries() -> None:
    mass, score = falling(4000, 2), np.random.default_rng(3).random(4000)
    weight = np.where(np.arange(4000) % 2, 1.0, 3.0)
    found = sculpting(mass, score, weight, 0.5)
    assert found.entries_above == pytest.approx((score >= 0.5).sum() * 0.8, rel=0.03)
    again = sculpting(np.append(mass, np.nan), np.append(score, 0.9), np.append(weight, 1.0), 0.5)
    assert again == found


def test_nothing_above_the_cut_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"above the score cut 0\.9"):
        sculpting(np.array([110.0, 120.0]), np.array([0.1, 0.2]), np.ones(2), 0.9)
