"""Masses and angles against numbers worked out by hand and against the library vector."""

import numpy as np
import pytest
import vector

from pipeline.physics.kinematics import delta_phi, invariant_mass, system_pt


def test_two_photons_back_to_back() -> None:
    mass = invariant_mass([[62.5, 62.5]], [[0.0, 0.0]], [[0.0, np.pi]], [[62.5, 62.5]])
    assert mass == pytest.approx([125.0], abs=1e-12)


def test_negative_mass_squared_is_nan_and_no_warning() -> None:
    mass = invariant_mass([[60.0, 60.0]], [[0.0, 0.0]], [[0.0, 0.1]], [[59.0, 59.0]])
    assert np.isnan(mass).all()


def test_missing_object_is_nan() -> None:
    assert np.isnan(invariant_mass([[60.0, np.nan]], [[0.0, 0.0]], [[0.0, 1.0]], [[60.0, 60.0]]))


def test_agrees_with_vector_for_two_and_four_objects() -> None:
    rng = np.random.default_rng(5)
    for k in (2, 4):
        pt, eta = rng.uniform(10, 100, (500, k)), rng.uniform(-2.4, 2.4, (500, k))
        phi, m = rng.uniform(-np.pi, np.pi, (500, k)), 0.1
        each = vector.array({"pt": pt, "eta": eta, "phi": phi, "mass": np.full_like(pt, m)})
        total = each[:, 0]
        for j in range(1, k):
            total = total + each[:, j]
        assert invariant_mass(pt, eta, phi, each.E) == pytest.approx(total.mass, rel=1e-9)
        assert system_pt(pt, phi) == pytest.approx(total.pt, rel=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(0.1, 6.2, 0.1 - 6.2 + 2 * np.pi), (3.0, -3.0, 6 - 2 * np.pi), (np.pi, 0.0, np.pi)],
)
def test_delta_phi_is_the_short_way_round(first: float, second: float, expected: float) -> None:
    assert delta_phi(first, second) == pytest.approx(expected)


def test_delta_phi_of_opposite_directions_is_pi_not_minus_pi() -> None:
    assert delta_phi(0.0, np.pi) == pytest.approx(np.pi)
