"""What is in an event beside its photons: jets, leptons and missing transverse momentum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.data.synthetic.batch import Collection, in_order, join
from pipeline.data.synthetic.kinematics import System, wrap
from pipeline.data.synthetic.streams import Random

JET_MIN_PT = 20.0
"""pT in GeV below which the release keeps no jet."""
LEPTON_MIN_PT = 7.0
_QUANTILE = {
    # Shares of b-tagging quantiles 1 to 5; 4 and 5 make the 70 % working point.
    0: np.cumsum([0.962, 0.020, 0.009, 0.005, 0.004]),
    5: np.cumsum([0.150, 0.080, 0.070, 0.100, 0.600]),
}


@dataclass(frozen=True)
class Activity:
    """How much the hard collision radiates."""

    recoil: float
    """Share of systems with pT above 20 GeV that recoil against one jet."""
    extra: float
    """Mean number of further jets above 20 GeV."""
    b_share: float
    """Share of radiated jets that hold a b hadron."""
    leptons: float
    """Share of events with a lepton that is none of the hard process."""
    met_width: float
    """Width in GeV of each component of the missing momentum's mismeasurement."""


def jets(
    random: Random, pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, b: np.ndarray
) -> Collection:
    """Jets with all their branches, from pT, eta, phi and whether it is a b jet (n, slots).

    Slots under 20 GeV or beyond |eta| = 4.5 are emptied. Real files of 2025 end at 2.5; forward
    jets are here so that a selection's own cut on |eta| is put to work.
    """
    kept = (pt > JET_MIN_PT) & (np.abs(eta) < 4.5)
    u = random.random(pt.shape)
    quantile = np.where(b, _quantile(5, u), _quantile(0, u))
    quantile[np.abs(eta) > 2.5] = 1
    mass = 0.11 * pt
    energy = np.hypot(pt * np.cosh(eta), mass)
    return {
        "pt": np.where(kept, pt, 0.0).astype(np.float32),
        "eta": eta.astype(np.float32),
        "phi": phi.astype(np.float32),
        "e": energy.astype(np.float32),
        "btag_quantile": quantile.astype(np.int32),
        "jvt": random.random(pt.shape) < 0.96,
    }


def _quantile(flavour: int, u: np.ndarray) -> np.ndarray:
    return np.minimum(np.searchsorted(_QUANTILE[flavour], u), 4) + 1


def radiation(random: Random, system: System, activity: Activity) -> Collection:
    """Jets that a produced system recoils against, and further ones; four slots."""
    n = len(system.pt)
    recoils = (system.pt > JET_MIN_PT) & (random.random(n) < activity.recoil)
    first = np.where(recoils, system.pt * random.uniform(0.65, 1.1, n), 0.0)
    first_eta = system.rapidity + random.normal(0.0, 1.4, n)
    first_phi = wrap(system.phi + np.pi + random.normal(0.0, 0.3, n))
    mean = activity.extra * (1.0 + system.pt / 150.0)
    number = random.poisson(mean)[:, None]
    slots = np.arange(3)
    pt = np.where(slots < number, JET_MIN_PT + random.exponential(16.0, (n, 3)), 0.0)
    eta = random.normal(0.0, 1.9, (n, 3))
    phi = random.uniform(-np.pi, np.pi, (n, 3))
    return jets(
        random,
        np.concatenate([first[:, None], pt], axis=1),
        np.concatenate([first_eta[:, None], eta], axis=1),
        np.concatenate([first_phi[:, None], phi], axis=1),
        random.random((n, 4)) < activity.b_share,
    )


def leptons(
    random: Random,
    pt: np.ndarray,
    eta: np.ndarray,
    phi: np.ndarray,
    flavour: np.ndarray,
    charge: np.ndarray,
    prompt: np.ndarray,
) -> Collection:
    """Leptons with all their branches; arrays are (n, slots), `flavour` 11 or 13.

    `prompt` says which come from a W or Z: they pass identification and isolation far more often.
    Slots under 7 GeV or beyond |eta| = 2.5 are emptied.
    """
    shape = pt.shape
    kept = (pt > LEPTON_MIN_PT) & (np.abs(eta) < 2.5)
    loose = random.random(shape) < np.where(prompt, 0.975, 0.45)
    medium = loose & (random.random(shape) < np.where(prompt, 0.985, 0.55))
    tight = medium & (random.random(shape) < np.where(prompt, 0.93, 0.40))
    isolated = random.random(shape) < np.where(prompt, 0.985, 0.25)
    cone = pt * np.where(isolated, random.exponential(0.015, shape), 0.2 + random.random(shape))
    d0 = random.normal(0.0, 1.0, shape) * np.where(prompt, 0.015, 0.06)
    return {
        "type": flavour.astype(np.int32),
        "pt": np.where(kept, pt, 0.0).astype(np.float32),
        "eta": eta.astype(np.float32),
        "phi": phi.astype(np.float32),
        "e": (pt * np.cosh(eta)).astype(np.float32),
        "charge": charge.astype(np.int32),
        "ptvarcone30": np.where(random.random(shape) < 0.6, 0.0, cone).astype(np.float32),
        "topoetcone20": (0.4 * cone + random.normal(0.0, 1.0, shape)).astype(np.float32),
        "z0": random.normal(0.0, 0.09, shape).astype(np.float32),
        "d0": d0.astype(np.float32),
        "d0sig": (d0 / 0.013).astype(np.float32),
        "isTightID": tight,
        "isMediumID": medium,
        "isLooseID": loose,
        "isTightIso": isolated & (random.random(shape) < 0.9),
        "isLooseIso": isolated,
        "isTrigMatched": (pt > 27.0) & (random.random(shape) < np.where(prompt, 0.92, 0.3)),
    }


def stray_leptons(random: Random, n: int, share: float) -> Collection:
    """At most one lepton per event that is none of the hard process; one slot."""
    shape = (n, 1)
    there = random.random(shape) < share
    return leptons(
        random,
        np.where(there, LEPTON_MIN_PT + random.exponential(9.0, shape), 0.0),
        random.uniform(-2.5, 2.5, shape),
        random.uniform(-np.pi, np.pi, shape),
        np.where(random.random(shape) < 0.5, 11, 13),
        np.where(random.random(shape) < 0.5, -1, 1),
        np.zeros(shape, dtype=bool),
    )


def missing(random: Random, x: np.ndarray, y: np.ndarray, width: float) -> dict[str, np.ndarray]:
    """Missing transverse momentum from the invisible (x, y) in GeV and a mismeasurement."""
    x = x + random.normal(0.0, width, len(x))
    y = y + random.normal(0.0, width, len(y))
    return {
        "met": np.hypot(x, y).astype(np.float32),
        "met_phi": np.arctan2(y, x).astype(np.float32),
        "met_mpx": x.astype(np.float32),
        "met_mpy": y.astype(np.float32),
    }


def ordered(collections: list[Collection]) -> Collection:
    """Several collections of the same events as one, with falling pT."""
    return in_order(join(collections))
