"""Events with four leptons: ZZ* with the resonance of one Z, and Higgs bosons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.data.synthetic.batch import Batch, Collection, join
from pipeline.data.synthetic.bosons import Z_MASS, Z_WIDTH, breit_wigner
from pipeline.data.synthetic.higgs import MASS
from pipeline.data.synthetic.kinematics import Pair, System, decay, split
from pipeline.data.synthetic.photons import no_photons
from pipeline.data.synthetic.streams import Random, Tabulated, falling
from pipeline.data.synthetic.surroundings import (
    Activity,
    jets,
    leptons,
    missing,
    ordered,
    radiation,
)
from pipeline.data.synthetic.triggers import lepton_triggers


@dataclass(frozen=True)
class FourLepton:
    """A process with four leptons; shares of generated events by the kind of their mass."""

    name: str
    visible: float
    """Share of generated events with four leptons near the acceptance; only these are made."""
    pt_scale: float
    pt_power: float
    activity: Activity
    resonance: float = 0.0
    """Share of visible events at the mass of the Z."""
    plateau: float = 0.0
    """Share between the Z and the threshold of two real Z; the rest is above it."""
    tags: bool = False


# `visible` of ZZ*: with the table's 1.2974 pb the official selection keeps about 1,220 events at
# 36.1 fb^-1, and with some 55 Higgs bosons the official 1,279 of data (physics.md).
FOUR_LEPTON = {
    p.name: p
    for p in (
        FourLepton("llll", 0.0822, 20.0, 2.0, Activity(0.7, 0.35, 0.03, 0.0, 11.0), 0.38, 0.26),
        FourLepton("ggH", 1.0, 26.0, 2.2, Activity(0.8, 0.45, 0.03, 0.0, 11.0)),
        FourLepton("VBF", 1.0, 75.0, 3.0, Activity(0.2, 0.25, 0.02, 0.0, 11.5), tags=True),
    )
}
_THRESHOLD = 2 * Z_MASS
_FOUND = 0.975
_RESOLUTION = {11: 0.022, 13: 0.020}


def four_leptons(random: Random, process: FourLepton, n: int) -> tuple[Batch, np.ndarray]:
    """`n` generated events: those with exactly four leptons, and their numbers 0..n-1 among all."""
    chosen = np.sort(random.choice(n, random.binomial(n, process.visible), replace=False))
    number = len(chosen)
    system = System(
        _mass(random, process, number),
        falling(random, number, process.pt_scale, process.pt_power, 500.0),
        np.clip(random.normal(0.0, 1.0, number), -2.6, 2.6),
        random.uniform(-np.pi, np.pi, number),
    )
    lepton = _leptons(random, system)
    kept = np.flatnonzero((lepton["pt"] > 0).all(axis=1))
    lepton = {k: v[kept] for k, v in lepton.items()}
    system = System(*(v[kept] for v in system))
    zero = np.zeros(len(kept))
    hard = [_tags(random, system)] if process.tags else []
    batch = Batch(
        {**missing(random, zero, zero, process.activity.met_width),
         **lepton_triggers(random, lepton)},
        {
            "photon": no_photons(len(kept)),
            "lep": lepton,
            "jet": ordered([*hard, radiation(random, system, process.activity)]),
        },
        np.zeros(len(kept), dtype=np.int8),
        (process.name,),
    )  # fmt: skip
    return batch, chosen[kept]


def _mass(random: Random, process: FourLepton, n: int) -> np.ndarray:
    """Mass in GeV of the four leptons before the detector."""
    if process.resonance == 0.0:
        return np.full(n, MASS)
    u = random.random(n)
    peak = breit_wigner(random, n, Z_MASS, Z_WIDTH)
    grid = np.linspace(95.0, _THRESHOLD, 801)
    plateau = Tabulated(grid, np.exp(-(grid - 95.0) / 160.0))(random, n)
    above = _THRESHOLD + random.gamma(1.5, 50.0, n)
    return np.where(
        u < process.resonance,
        peak,
        np.where(u < process.resonance + process.plateau, plateau, above),
    )


def _boson_masses(random: Random, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masses in GeV of the two bosons: the first as near the Z as the energy allows."""
    n = len(mass)
    first = breit_wigner(random, n, Z_MASS, Z_WIDTH)
    room = mass - 12.0
    first = np.where(first < room, first, room * random.uniform(0.55, 1.0, n))
    second = breit_wigner(random, n, Z_MASS, Z_WIDTH)
    left = mass - first
    virtual = 8.0 + (left - 8.0) * random.random(n) ** 0.6
    return first, np.where(second < left, second, virtual)


def _leptons(random: Random, system: System) -> Collection:
    """Four slots, electrons before muons as in the release's files, each with falling pT."""
    n = len(system.mass)
    bosons = split(system, _boson_masses(random, system.mass), *_angles(random, n))
    parts = []
    for boson in bosons:
        pair = decay(boson, *_angles(random, n))
        flavour = np.where(random.random((n, 1)) < 0.5, 11, 13) * np.ones((1, 2), dtype=int)
        sign = random.choice([-1, 1], n)
        charge = np.stack([sign, -sign], axis=1)
        parts.append(_measured(random, pair, flavour, charge))
    both = join(parts)
    order = np.argsort(1e6 * both["type"] - both["pt"], axis=1, kind="stable")
    return {k: np.take_along_axis(v, order, axis=1) for k, v in both.items()}


def _measured(random: Random, pair: Pair, flavour: np.ndarray, charge: np.ndarray) -> Collection:
    width = np.where(flavour == 11, _RESOLUTION[11], _RESOLUTION[13])
    pt = pair.pt * (1.0 + width * random.standard_normal(pair.pt.shape))
    found = random.random(pt.shape) < _FOUND
    prompt = np.ones(pt.shape, dtype=bool)
    return leptons(random, np.where(found, pt, 0.0), pair.eta, pair.phi, flavour, charge, prompt)


def _angles(random: Random, n: int) -> tuple[np.ndarray, np.ndarray]:
    return random.uniform(-1, 1, n), random.uniform(-np.pi, np.pi, n)


def _tags(random: Random, system: System) -> Collection:
    """Two forward jets that share the recoil of the system."""
    n = len(system.pt)
    side = random.choice([-1.0, 1.0], n)[:, None] * np.array([1.0, -1.0])
    return jets(
        random,
        22.0 + random.exponential(40.0, (n, 2)),
        side * np.abs(random.normal(2.5, 0.9, (n, 2))),
        random.uniform(-np.pi, np.pi, (n, 2)),
        np.zeros((n, 2), dtype=bool),
    )
