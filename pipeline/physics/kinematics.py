"""Masses, transverse momenta and angles of photons, leptons and jets."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pipeline.physics.arrays import Floats, floats


def invariant_mass(pt: ArrayLike, eta: ArrayLike, phi: ArrayLike, e: ArrayLike) -> Floats:
    """Invariant mass in GeV of the objects along the last axis.

    Takes arrays of shape (..., k): pt and e in GeV, phi in radians; gives shape (...). The energy
    is taken as measured, so m² = (ΣE)² - |Σp|² can be negative: the mass is then NaN (37 pairs of
    data15 period D), as it is where an input is NaN.
    """
    pt, eta, phi, e = floats(pt), floats(eta), floats(phi), floats(e)
    px = (pt * np.cos(phi)).sum(axis=-1)
    py = (pt * np.sin(phi)).sum(axis=-1)
    pz = (pt * np.sinh(eta)).sum(axis=-1)
    square = e.sum(axis=-1) ** 2 - px**2 - py**2 - pz**2
    return floats(np.sqrt(np.where(square >= 0, square, np.nan)))


def system_pt(pt: ArrayLike, phi: ArrayLike) -> Floats:
    """Transverse momentum (GeV) of the sum of objects along the last axis: (..., k) -> (...)."""
    pt, phi = floats(pt), floats(phi)
    return floats(np.hypot((pt * np.cos(phi)).sum(axis=-1), (pt * np.sin(phi)).sum(axis=-1)))


def delta_phi(first: ArrayLike, second: ArrayLike) -> Floats:
    """`first` - `second` in radians, brought into (-pi, pi]."""
    turned = np.mod(np.pi - (floats(first) - floats(second)), 2 * np.pi)
    return floats(np.pi - turned)
