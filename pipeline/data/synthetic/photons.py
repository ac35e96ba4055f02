"""Photon candidates as the detector gives them: resolution, identification, isolation."""

from __future__ import annotations

import numpy as np

from pipeline.data.synthetic.batch import Collection
from pipeline.data.synthetic.kinematics import Pair
from pipeline.data.synthetic.streams import Random

ETA_MAX = 2.5
"""Candidates are kept up to here; the crack is theirs to veto who select."""
MIN_PT = (40.0, 25.0)
"""pT in GeV of the two photons that an event needs to be in the file: the synthetic skim."""
ISOLATION = 0.055
"""ptcone20 / pT below which the official selection calls a photon isolated."""

_MOMENTA = ("pt", "eta", "phi", "e", "ptcone20", "topoetcone40")
_FLAGS = ("isLooseID", "isTightID", "isLooseIso", "isTightIso")
_STOCHASTIC, _CONSTANT = 0.115, 0.0125
_ENDCAP, _ENDCAP_FACTOR = 1.45, 1.5
_TAIL_SHARE, _TAIL_FACTOR = 0.06, 2.2


def smear(random: Random, pair: Pair) -> Pair:
    """Measured momenta of true photons.

    Relative resolution 11.5 %/sqrt(E/GeV) + 1.25 % in quadrature, 1.5 times that in the endcaps,
    and 2.2 times for 6 % of the photons (conversions): a core of 1.6-1.7 GeV at 125 GeV.
    """
    energy = pair.pt * np.cosh(pair.eta)
    width = np.hypot(_STOCHASTIC / np.sqrt(energy), _CONSTANT)
    width *= np.where(np.abs(pair.eta) > _ENDCAP, _ENDCAP_FACTOR, 1.0)
    width *= np.where(random.random(width.shape) < _TAIL_SHARE, _TAIL_FACTOR, 1.0)
    return pair._replace(pt=pair.pt * (1.0 + width * random.standard_normal(width.shape)))


def in_skim(pair: Pair) -> np.ndarray:
    """Mask of events whose two photons are hard and central enough to be in the file."""
    leading, subleading = pair.pt.max(axis=1), pair.pt.min(axis=1)
    central = (np.abs(pair.eta) < ETA_MAX).all(axis=1)
    mask: np.ndarray = central & (leading > MIN_PT[0]) & (subleading > MIN_PT[1])
    return mask


def tight_efficiency(pt: np.ndarray) -> np.ndarray:
    """Share of true photons that pass tight identification, rising with pT in GeV."""
    return 0.93 - 0.34 * np.exp(-pt / 32.0)


def isolation_efficiency(pt: np.ndarray) -> np.ndarray:
    """Share of true photons that are isolated, rising with pT in GeV."""
    return 0.965 - 0.15 * np.exp(-pt / 45.0)


def candidates(random: Random, pair: Pair, tight: np.ndarray, isolated: np.ndarray) -> Collection:
    """The two photons, and for 2 % of the events a softer third, with all branches of a photon.

    `tight` and `isolated` (n, 2) are what the two pass; the isolation variables agree with it.
    """
    n = len(pair.pt)
    third = (random.random(n) < 0.02)[:, None]
    soft = 20.0 + 5.0 * random.random((n, 1))
    pt = np.concatenate([pair.pt, np.where(third, soft, 0.0)], axis=1)
    eta = np.concatenate([pair.eta, random.uniform(-2.3, 2.3, (n, 1))], axis=1)
    phi = np.concatenate([pair.phi, random.uniform(-np.pi, np.pi, (n, 1))], axis=1)
    tight = np.concatenate([tight, random.random((n, 1)) < 0.2], axis=1)
    isolated = np.concatenate([isolated, random.random((n, 1)) < 0.3], axis=1)
    cone = _cone(random, isolated)
    energy_cone = random.normal(0.5, 1.6, pt.shape) + np.where(isolated, 0.0, 0.12 * pt)
    photons = {
        "pt": pt.astype(np.float32),
        "eta": eta.astype(np.float32),
        "phi": phi.astype(np.float32),
        "e": (pt * np.cosh(eta)).astype(np.float32),
        "ptcone20": (cone * pt).astype(np.float32),
        "topoetcone40": energy_cone.astype(np.float32),
        "isLooseID": np.ones(pt.shape, dtype=bool),
        "isTightID": tight,
        "isLooseIso": isolated & (energy_cone < 0.065 * pt),
        "isTightIso": isolated & (energy_cone < 0.022 * pt + 2.45),
    }
    return _leading_first(photons)


def tight_and_isolated(photons: Collection) -> np.ndarray:
    """Mask of events whose two hardest photons both pass what the official selection asks."""
    isolated = photons["ptcone20"][:, :2] < ISOLATION * photons["pt"][:, :2]
    return np.asarray((photons["isTightID"][:, :2] & isolated).all(axis=1))


def no_photons(n: int) -> Collection:
    """The photon branches of `n` events that have none."""
    none = {k: np.zeros((n, 1), dtype=np.float32) for k in _MOMENTA}
    return {**none, **{k: np.zeros((n, 1), dtype=bool) for k in _FLAGS}}


def _leading_first(photons: Collection) -> Collection:
    """The first two photons swapped where the second is harder; the third is always softest."""
    first = (photons["pt"][:, 1] > photons["pt"][:, 0]).astype(np.intp)
    order = np.stack([first, 1 - first, np.full(len(first), 2)], axis=1)
    return {k: np.take_along_axis(v, order, axis=1) for k, v in photons.items()}


def _cone(random: Random, isolated: np.ndarray) -> np.ndarray:
    """ptcone20 / pT on the right side of the cut: mostly no track at all, or a falling tail."""
    quiet = np.where(
        random.random(isolated.shape) < 0.65, 0.0, random.uniform(0.01, 0.054, isolated.shape)
    )
    busy = 0.056 + random.exponential(0.12, isolated.shape)
    return np.where(isolated, quiet, busy)
