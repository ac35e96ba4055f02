"""Four-vectors of produced systems and of the two massless particles they decay into."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class System(NamedTuple):
    """Produced systems: mass and transverse momentum in GeV, rapidity, azimuth; shape (n,)."""

    mass: np.ndarray
    pt: np.ndarray
    rapidity: np.ndarray
    phi: np.ndarray


class Pair(NamedTuple):
    """Two massless particles per event: pT in GeV, pseudorapidity, azimuth; shape (n, 2)."""

    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray


def wrap(phi: np.ndarray) -> np.ndarray:
    """Angles in radians brought to [-pi, pi)."""
    return (phi + np.pi) % (2 * np.pi) - np.pi


def decay(system: System, cosine: np.ndarray, azimuth: np.ndarray) -> Pair:
    """Decay of each system into two massless particles, back to back in its rest frame.

    `cosine` is the cosine of the polar angle to the beam and `azimuth` the angle around it, both in
    the rest frame; the system is boosted across and then along the beam.
    """
    half = system.mass / 2
    across = half * np.sqrt(1.0 - cosine**2)
    gamma = np.hypot(system.mass, system.pt) / system.mass
    x = across * np.cos(azimuth)
    y = across * np.sin(azimuth)
    z = half * cosine
    boost = half * system.pt / system.mass
    px = np.stack([gamma * x + boost, boost - gamma * x], axis=1)
    py = np.stack([y, -y], axis=1)
    pz = np.stack([z, -z], axis=1)
    pt = np.hypot(px, py)
    # Massless: rapidity is pseudorapidity, and the boost along the beam adds to it.
    eta = np.arcsinh(pz / pt) + system.rapidity[:, None]
    phi = wrap(np.arctan2(py, px) + system.phi[:, None])
    return Pair(pt, eta, phi)


def split(
    system: System, masses: tuple[np.ndarray, np.ndarray], cosine: np.ndarray, azimuth: np.ndarray
) -> tuple[System, System]:
    """Decay of each system into two massive ones; angles as in `decay`.

    The momentum in the rest frame is the usual two-body one (PDG review, kinematics, eq. 49.17).
    """
    m, (m1, m2) = system.mass, masses
    momentum = np.sqrt(np.maximum((m**2 - (m1 + m2) ** 2) * (m**2 - (m1 - m2) ** 2), 0)) / (2 * m)
    across = momentum * np.sqrt(1.0 - cosine**2)
    gamma, beta_gamma = np.hypot(m, system.pt) / m, system.pt / m
    daughters = []
    for sign, mass in ((1.0, m1), (-1.0, m2)):
        energy = np.hypot(momentum, mass)
        x = sign * across * np.cos(azimuth)
        px = gamma * x + beta_gamma * energy
        py = sign * across * np.sin(azimuth)
        pz = sign * momentum * cosine
        boosted = gamma * energy + beta_gamma * x
        daughters.append(
            System(
                mass,
                np.hypot(px, py),
                np.arctanh(pz / boosted) + system.rapidity,
                wrap(np.arctan2(py, px) + system.phi),
            )
        )
    return daughters[0], daughters[1]
