"""Higgs bosons that decay to two photons, made by each production process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.data.synthetic.batch import Batch, Collection
from pipeline.data.synthetic.bosons import (
    W_MASS,
    W_WIDTH,
    Z_MASS,
    Z_WIDTH,
    Products,
    against,
    w_products,
    z_products,
)
from pipeline.data.synthetic.kinematics import Pair, System, decay
from pipeline.data.synthetic.photons import (
    candidates,
    in_skim,
    isolation_efficiency,
    smear,
    tight_efficiency,
)
from pipeline.data.synthetic.streams import Random, falling
from pipeline.data.synthetic.surroundings import (
    Activity,
    jets,
    missing,
    ordered,
    radiation,
    stray_leptons,
)
from pipeline.data.synthetic.triggers import photon_triggers

MASS = 125.0
"""GeV, of the generated Higgs boson; its width is far below the resolution."""


@dataclass(frozen=True)
class Production:
    """How a production process looks: pT spectrum (see `falling`) and what comes along."""

    name: str
    pt_scale: float
    pt_power: float
    activity: Activity
    companions: str = "none"
    """none, tags (two forward jets), W+, W-, Z, or tops."""


_CALM = Activity(0.75, 0.35, 0.02, 0.004, 10.5)
PRODUCTIONS = {
    p.name: p
    for p in (
        Production("ggH", 26.0, 2.2, Activity(0.80, 0.45, 0.03, 0.004, 10.5)),
        Production("VBF", 0.0, 0.0, Activity(0.0, 0.25, 0.02, 0.004, 11.5), "tags"),
        Production("WmH", 62.0, 2.4, _CALM, "W-"),
        Production("WpH", 62.0, 2.4, _CALM, "W+"),
        Production("ZH", 62.0, 2.4, _CALM, "Z"),
        Production("ggZH", 130.0, 3.2, Activity(0.75, 0.70, 0.03, 0.004, 11.0), "Z"),
        Production("ttH", 95.0, 2.7, Activity(0.30, 0.80, 0.05, 0.006, 14.0), "tops"),
    )
}


@dataclass(frozen=True)
class _Companions:
    jets: list[Collection]
    leptons: list[Collection]
    x: np.ndarray
    y: np.ndarray


def higgs_to_photons(random: Random, production: Production, n: int) -> tuple[Batch, np.ndarray]:
    """`n` generated events: those that reach the file, and their numbers 0..n-1 among all.

    The photons decay isotropically, are smeared, and pass identification and isolation with the
    efficiencies of true photons.
    """
    tags = _tagging_jets(random, n) if production.companions == "tags" else None
    system = _system(random, production, n) if tags is None else _recoiling(random, tags)
    cosine, azimuth = random.uniform(-1, 1, n), random.uniform(-np.pi, np.pi, n)
    pair = smear(random, decay(system, cosine, azimuth))
    kept = np.flatnonzero(in_skim(pair))
    system, pair = System(*(v[kept] for v in system)), Pair(*(v[kept] for v in pair))
    tight = random.random(pair.pt.shape) < tight_efficiency(pair.pt)
    isolated = random.random(pair.pt.shape) < isolation_efficiency(pair.pt)
    photons = candidates(random, pair, tight, isolated)
    if tags is not None:
        hard = _as_companions(random, Pair(*(v[kept] for v in tags)))
    else:
        hard = _companions(random, production.companions, system)
    stray = stray_leptons(random, len(kept), production.activity.leptons)
    lepton = ordered([*hard.leptons, stray])
    batch = Batch(
        {**missing(random, hard.x, hard.y, production.activity.met_width),
         **photon_triggers(random, photons, lepton)},
        {
            "photon": photons,
            "lep": lepton,
            "jet": ordered([*hard.jets, radiation(random, system, production.activity)]),
        },
        np.zeros(len(kept), dtype=np.int8),
        (production.name,),
    )  # fmt: skip
    return batch, kept


def _system(random: Random, production: Production, n: int) -> System:
    return System(
        np.full(n, MASS),
        falling(random, n, production.pt_scale, production.pt_power, 600.0),
        np.clip(random.normal(0.0, 1.0, n), -2.6, 2.6),
        random.uniform(-np.pi, np.pi, n),
    )


def _tagging_jets(random: Random, n: int) -> Pair:
    """The two quarks of vector boson fusion: in opposite hemispheres, mostly back to back."""
    pt = np.array([25.0, 22.0]) + random.exponential(1.0, (n, 2)) * np.array([52.0, 30.0])
    side = random.choice([-1.0, 1.0], n)[:, None] * np.array([1.0, -1.0])
    eta = side * np.abs(random.normal(2.5, 0.9, (n, 2)))
    phi = random.uniform(-np.pi, np.pi, n)
    return Pair(pt, eta, np.stack([phi, phi + np.pi + random.normal(0.0, 1.1, n)], axis=1))


def _recoiling(random: Random, tags: Pair) -> System:
    """The Higgs boson that balances the tagging jets."""
    x = -(tags.pt * np.cos(tags.phi)).sum(axis=1)
    y = -(tags.pt * np.sin(tags.phi)).sum(axis=1)
    n = len(x)
    rapidity = np.clip(random.normal(0.0, 0.8, n), -2.6, 2.6)
    return System(np.full(n, MASS), np.hypot(x, y), rapidity, np.arctan2(y, x))


def _as_companions(random: Random, tags: Pair) -> _Companions:
    zero = np.zeros(len(tags.pt))
    tagging = jets(random, tags.pt, tags.eta, tags.phi, np.zeros(tags.pt.shape, dtype=bool))
    return _Companions([tagging], [], zero, zero)


def _companions(random: Random, kind: str, system: System) -> _Companions:
    n = len(system.pt)
    if kind == "none":
        return _Companions([], [], np.zeros(n), np.zeros(n))
    if kind == "tops":
        return _tops(random, n)
    if kind == "Z":
        boson = z_products(random, against(random, system, Z_MASS, Z_WIDTH))
    else:
        charge = np.full(n, 1 if kind == "W+" else -1)
        boson = w_products(random, against(random, system, W_MASS, W_WIDTH), charge)
    return _Companions([boson.jets], [boson.leptons], boson.invisible_x, boson.invisible_y)


def _tops(random: Random, n: int) -> _Companions:
    """Two top quarks: two b jets and two W bosons of opposite charge."""
    bottom = jets(
        random,
        25.0 + random.exponential(50.0, (n, 2)),
        random.normal(0.0, 1.1, (n, 2)),
        random.uniform(-np.pi, np.pi, (n, 2)),
        np.ones((n, 2), dtype=bool),
    )
    bosons: list[Products] = []
    for charge in (1, -1):
        system = System(
            np.full(n, W_MASS),
            falling(random, n, 60.0, 2.4, 500.0),
            random.normal(0.0, 0.9, n),
            random.uniform(-np.pi, np.pi, n),
        )
        bosons.append(w_products(random, system, np.full(n, charge)))
    return _Companions(
        [bottom, *(b.jets for b in bosons)],
        [b.leptons for b in bosons],
        sum((b.invisible_x for b in bosons), np.zeros(n)),
        sum((b.invisible_y for b in bosons), np.zeros(n)),
    )
