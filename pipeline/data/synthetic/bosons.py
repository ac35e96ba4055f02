"""Decays of W and Z bosons: jets, leptons and what is invisible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.data.synthetic.batch import Collection
from pipeline.data.synthetic.kinematics import Pair, System, decay, wrap
from pipeline.data.synthetic.streams import Random
from pipeline.data.synthetic.surroundings import jets, leptons

W_MASS, Z_MASS = 80.38, 91.19
W_WIDTH, Z_WIDTH = 2.09, 2.50
_W_LEPTON, _W_TAU = 0.25, 0.07
"""Shares of W to e or mu (also by a tau), and to a hadronic tau (PDG)."""
_Z_LEPTONS, _Z_NEUTRINOS = 0.0673, 0.20
_Z_BB = 0.2156
"""Share of b pairs among hadronic Z decays (PDG, R_b)."""
_RECONSTRUCTED = 0.92
"""Share of prompt leptons that the detector finds."""


@dataclass(frozen=True)
class Products:
    """What a boson leaves in the detector: two slots of jets and leptons, invisible pT in GeV."""

    jets: Collection
    leptons: Collection
    invisible_x: np.ndarray
    invisible_y: np.ndarray


def against(random: Random, higgs: System, mass: float, width: float) -> System:
    """A boson that recoils against each Higgs boson: same pT, opposite azimuth."""
    n = len(higgs.pt)
    return System(
        breit_wigner(random, n, mass, width),
        higgs.pt * random.uniform(0.85, 1.1, n),
        higgs.rapidity + random.normal(0.0, 0.9, n),
        wrap(higgs.phi + np.pi + random.normal(0.0, 0.2, n)),
    )


def breit_wigner(random: Random, n: int, mass: float, width: float) -> np.ndarray:
    """Masses in GeV of a resonance, within ten widths of its mass."""
    reach = np.arctan(20.0)
    return mass + width / 2 * np.tan(random.uniform(-reach, reach, n))


def w_products(random: Random, system: System, charge: np.ndarray) -> Products:
    """Decays of W bosons of the given charge (n,)."""
    pair = _isotropic(random, system)
    n = len(charge)
    u = random.random(n)
    leptonic, tau = u < _W_LEPTON, (u >= _W_LEPTON) & (u < _W_LEPTON + _W_TAU)
    hadronic = ~leptonic & ~tau
    # A hadronic tau keeps about half of its momentum as a jet; the rest is invisible.
    jet_pt = np.where(hadronic[:, None], pair.pt, 0.0)
    jet_pt[:, 0] = np.where(tau, 0.5 * pair.pt[:, 0], jet_pt[:, 0])
    lepton_pt = np.where(leptonic[:, None], pair.pt, 0.0) * np.array([1.0, 0.0])
    invisible = np.where(~hadronic[:, None], pair.pt, 0.0) * np.array([0.0, 1.0])
    invisible[:, 0] = np.where(tau, 0.5 * pair.pt[:, 0], 0.0)
    return Products(
        jets(random, jet_pt, pair.eta, pair.phi, np.zeros((n, 2), dtype=bool)),
        _leptons(random, lepton_pt, pair.eta, pair.phi, np.stack([charge, charge], axis=1)),
        *_components(invisible, pair.phi),
    )


def z_products(random: Random, system: System) -> Products:
    """Decays of Z bosons."""
    pair = _isotropic(random, system)
    n = len(system.pt)
    u = random.random(n)
    leptonic = u < _Z_LEPTONS
    invisible = (u >= _Z_LEPTONS) & (u < _Z_LEPTONS + _Z_NEUTRINOS)
    hadronic = ~leptonic & ~invisible
    b = hadronic & (random.random(n) < _Z_BB)
    sign = random.choice([-1, 1], n)
    return Products(
        jets(random, np.where(hadronic[:, None], pair.pt, 0.0), pair.eta, pair.phi,
             np.stack([b, b], axis=1)),
        _leptons(random, np.where(leptonic[:, None], pair.pt, 0.0), pair.eta, pair.phi,
                 np.stack([sign, -sign], axis=1)),
        *_components(np.where(invisible[:, None], pair.pt, 0.0), pair.phi),
    )  # fmt: skip


def _isotropic(random: Random, system: System) -> Pair:
    n = len(system.pt)
    return decay(system, random.uniform(-1, 1, n), random.uniform(-np.pi, np.pi, n))


def _leptons(
    random: Random, pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, charge: np.ndarray
) -> Collection:
    n = len(pt)
    found = random.random((n, 2)) < _RECONSTRUCTED
    flavour = np.where(random.random((n, 1)) < 0.5, 11, 13) * np.ones((1, 2), dtype=int)
    prompt = np.ones((n, 2), dtype=bool)
    return leptons(random, np.where(found, pt, 0.0), eta, phi, flavour, charge, prompt)


def _components(pt: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (pt * np.cos(phi)).sum(axis=1), (pt * np.sin(phi)).sum(axis=1)
