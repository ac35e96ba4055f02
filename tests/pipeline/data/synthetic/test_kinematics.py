"""Decays conserve four-momentum and give back the mass of the system."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.synthetic.kinematics import System, decay, split, wrap

ANGLES = st.floats(-3.14, 3.14)


def momentum(mass: np.ndarray, pt: np.ndarray, rapidity: np.ndarray, phi: np.ndarray) -> np.ndarray:
    across = np.hypot(mass, pt)
    return np.array(
        [pt * np.cos(phi), pt * np.sin(phi), across * np.sinh(rapidity), across * np.cosh(rapidity)]
    )


@given(
    st.floats(20, 500), st.floats(0, 400), st.floats(-2.5, 2.5), ANGLES, st.floats(-0.99, 0.99),
    ANGLES,
)  # fmt: skip
def test_two_massless_daughters_add_up(
    mass: float, pt: float, rapidity: float, phi: float, cosine: float, azimuth: float
) -> None:
    system = System(*(np.array([v]) for v in (mass, pt, rapidity, phi)))
    pair = decay(system, np.array([cosine]), np.array([azimuth]))
    total = sum(
        momentum(np.zeros(1), pair.pt[:, i], pair.eta[:, i], pair.phi[:, i]) for i in (0, 1)
    )
    np.testing.assert_allclose(total, momentum(*system), rtol=1e-9, atol=1e-7 * mass)


@given(
    st.floats(60, 500), st.floats(0.05, 0.6), st.floats(0.05, 0.35), st.floats(0, 300),
    st.floats(-2.5, 2.5), ANGLES, st.floats(-0.99, 0.99), ANGLES,
)  # fmt: skip
def test_two_massive_daughters_add_up(
    mass: float, first: float, second: float, pt: float, rapidity: float, phi: float,
    cosine: float, azimuth: float,
) -> None:  # fmt: skip
    system = System(*(np.array([v]) for v in (mass, pt, rapidity, phi)))
    masses = np.array([first * mass]), np.array([second * mass])
    daughters = split(system, masses, np.array([cosine]), np.array([azimuth]))
    total = sum(momentum(*d) for d in daughters)
    np.testing.assert_allclose(total, momentum(*system), rtol=1e-8, atol=1e-6 * mass)
    assert daughters[0].mass[0] == first * mass


@given(st.floats(-50, 50))
def test_angles_are_brought_home(phi: float) -> None:
    home = wrap(np.array([phi]))[0]
    assert -np.pi <= home < np.pi
    assert np.isclose(np.cos(home), np.cos(phi), atol=1e-9)
