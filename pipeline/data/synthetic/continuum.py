"""The diphoton continuum: γγ, γj and jj with their own spectra and photon qualities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.data.synthetic.batch import Batch
from pipeline.data.synthetic.kinematics import System, decay
from pipeline.data.synthetic.photons import candidates, in_skim
from pipeline.data.synthetic.streams import Random, Tabulated, falling
from pipeline.data.synthetic.surroundings import (
    Activity,
    missing,
    ordered,
    radiation,
    stray_leptons,
)
from pipeline.data.synthetic.triggers import photon_triggers

MASS_RANGE = (95.0, 170.0)
"""GeV, of the generated photon pair."""


@dataclass(frozen=True)
class Component:
    """One kind of the continuum."""

    name: str
    real: tuple[bool, bool]
    """Which of the two photons is a true one; the others are jets taken for photons."""
    rate: float
    """Generated events per fb^-1 in MASS_RANGE with both photons tight and isolated."""
    slope: float
    """GeV: the mass spectrum falls by e over this at 125 GeV."""
    pt_scale: float
    pt_power: float
    forward: float
    """How strongly the pair is peaked along the beam, power of 1 / (1 - cos^2)."""
    activity: Activity


# Shares of the three and their slopes: set so that the tight, isolated pairs of the official
# selection are γγ, γj, jj in about the proportions 78 : 19 : 3 of published ATLAS measurements,
# and number 250,000 at 36.1 fb^-1 in 100-160 GeV (physics.md).
COMPONENTS = (
    Component("yy", (True, True), 21460.0, 24.0, 15.0, 1.85, 1.0,
              Activity(0.75, 0.28, 0.03, 0.004, 10.5)),
    Component("yj", (True, False), 5365.0, 21.5, 14.0, 1.90, 1.1,
              Activity(0.70, 0.38, 0.05, 0.007, 11.5)),
    Component("jj", (False, False), 872.0, 20.0, 13.0, 1.95, 1.2,
              Activity(0.65, 0.50, 0.06, 0.010, 12.5)),
)  # fmt: skip
_REAL = (0.87, 0.92)
_FAKE = (0.22, 0.32)
"""Shares that pass tight identification and isolation, after the loose skim."""


def patterns(component: Component) -> tuple[np.ndarray, np.ndarray]:
    """The 16 combinations of (tight 1, isolated 1, tight 2, isolated 2) and their shares."""
    combinations = np.array(np.unravel_index(np.arange(16), (2, 2, 2, 2))).T.astype(bool)
    passing = np.array([p for real in component.real for p in (_REAL if real else _FAKE)])
    return combinations, np.where(combinations, passing, 1 - passing).prod(axis=1)


def expected(component: Component, luminosity: float, thinning: float) -> tuple[float, float]:
    """Mean numbers of generated pairs: both tight and isolated; and the others, thinned."""
    share = patterns(component)[1][-1]
    good = component.rate * luminosity
    return good, good * (1.0 - share) / share * thinning


def continuum(random: Random, component: Component, luminosity: float, thinning: float) -> Batch:
    """Events of one component in fb^-1 of `luminosity`; their number fluctuates as Poisson's.

    Of the pairs that are not both tight and isolated only the share `thinning` is made.
    """
    combinations, shares = patterns(component)
    good, other = (random.poisson(mean) for mean in expected(component, luminosity, thinning))
    failing = random.choice(15, other, p=shares[:-1] / shares[:-1].sum())
    pattern = np.concatenate([np.full(good, 15), failing])
    n = good + other
    system = _system(random, component, n)
    pair = decay(system, _cosine(component)(random, n) * random.choice([-1, 1], n),
                 random.uniform(-np.pi, np.pi, n))  # fmt: skip
    kept = np.flatnonzero(in_skim(pair))
    system, pair = System(*(v[kept] for v in system)), type(pair)(*(v[kept] for v in pair))
    flags = combinations[pattern[kept]]
    activity = component.activity
    # Which of the two photons comes first is decided by pT; a fake is as often one as the other.
    flags = np.where((random.random(len(kept)) < 0.5)[:, None], flags, flags[:, [2, 3, 0, 1]])
    photons = candidates(random, pair, flags[:, [0, 2]], flags[:, [1, 3]])
    zero = np.zeros(len(kept))
    lepton = stray_leptons(random, len(kept), activity.leptons)
    return Batch(
        {**missing(random, zero, zero, activity.met_width),
         **photon_triggers(random, photons, lepton)},
        {
            "photon": photons,
            "lep": lepton,
            "jet": ordered([radiation(random, system, activity)]),
        },
        np.zeros(len(kept), dtype=np.int8),
        (component.name,),
    )  # fmt: skip


def _system(random: Random, component: Component, n: int) -> System:
    mass = np.linspace(*MASS_RANGE, 1501)
    # Locally exponential at 125 GeV, a power over the whole range: what a smooth continuum does.
    density = mass ** (-125.0 / component.slope)
    return System(
        Tabulated(mass, density)(random, n),
        falling(random, n, component.pt_scale, component.pt_power, 300.0),
        np.clip(random.normal(0.0, 1.2, n), -2.6, 2.6),
        random.uniform(-np.pi, np.pi, n),
    )


def _cosine(component: Component) -> Tabulated:
    cosine = np.linspace(0.0, 0.85, 401)
    return Tabulated(cosine, (1 + cosine**2) / (1 - cosine**2) ** component.forward)
