"""Rules of the schema door: how a variable follows from the branches of a file, one function each.

Every rule takes its sources (None for one that may be missing and is) and a number, and gives the
values of the variable in the unit of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import awkward as ak
import numpy as np

from pipeline.data.errors import BranchError

ELECTRON, MUON = 11, 13
"""PDG numbers."""
ELECTRON_MASS, MUON_MASS = 0.51099895, 105.6583755
"""MeV (PDG 2024)."""
SIMULATION = 0x1
"""Bit of eventTypeBitmask that says IS_SIMULATION (xAOD::EventInfo::EventType)."""
MUON_QUALITY, MUON_TRACK = 0x7, 0x8
"""Bits of a muon's `quality`: 0 tight, 1 medium, 2 loose, 3 very loose; and whether its track
passes the cuts on hits in the inner detector (xAOD::Muon_v1)."""
CHARM_FRACTION = 0.018
"""Share of charm in the background of the discriminant DL1dv01 (athena, LLP1 derivation)."""


def at_least(source: ak.Array, value: float) -> ak.Array:
    """Where a number is `value` or more."""
    return source >= value


def above(source: ak.Array, value: float) -> ak.Array:
    """Where a number is more than `value`."""
    return source > value


def differs(source: ak.Array, value: float) -> ak.Array:
    """Where a number is not `value`."""
    return source != value


def constant(source: ak.Array, value: float) -> ak.Array:
    """`value` in the shape of the source."""
    return ak.full_like(source, value)


def has_bit(source: ak.Array, value: float) -> ak.Array:
    """Where the bit number `value` is set, counted from 0."""
    return (source & (1 << int(value))) != 0


def number(source: ak.Array, value: float) -> ak.Array:
    """How many objects each event has."""
    return ak.values_astype(ak.num(source), np.int32)


def energy(pt: ak.Array, eta: ak.Array, mass: ak.Array, value: float) -> ak.Array:
    """Energy of objects with a mass."""
    return np.sqrt((pt * np.cosh(eta)) ** 2 + mass**2)


def massless_energy(pt: ak.Array, eta: ak.Array, value: float) -> ak.Array:
    """Energy of objects without mass."""
    return pt * np.cosh(eta)


def channel_number(
    run: ak.Array, kind: ak.Array, channel: ak.Array | None, value: float
) -> ak.Array:
    """The DSID of simulated events, and the run number of the others, as the ntuples have it."""
    if channel is None:
        _check_data(kind, "EventInfoAuxDyn.mcChannelNumber")
        return run
    return ak.Array(np.where(_simulated(kind), ak.to_numpy(channel), ak.to_numpy(run)))


def first_weight(kind: ak.Array, weights: ak.Array | None, value: float) -> ak.Array:
    """The nominal weight of the generator, the first of an event; NaN in data, which has none."""
    if weights is None:
        return _nothing(kind, "EventInfoAuxDyn.mcEventWeights")
    return ak.fill_none(ak.firsts(weights), np.float32(np.nan))


def pileup_weight(kind: ak.Array, weight: ak.Array | None, value: float) -> ak.Array:
    """The weight that makes the pile-up of simulation that of data; NaN in data."""
    return _nothing(kind, "EventInfoAuxDyn.PileupWeight_NOSYS") if weight is None else weight


def any_object(kind: ak.Array, matched: ak.Array | None, value: float) -> ak.Array:
    """Where a trigger has objects that are matched.

    A file in which no event has any does not have the branch.
    """
    if matched is None:
        return ak.Array(np.zeros(len(kind), dtype=np.bool_))
    return ak.num(matched, axis=1) > 0


def discriminant(
    index: ak.Array, pb: ak.Array, pc: ak.Array, pu: ak.Array, value: float
) -> ak.Array:
    """Where the b-tagging discriminant of the jets' tagging objects, to which `index` points,
    is above `value`: ln(pb / (f pc + (1 - f) pu)), f = CHARM_FRACTION.
    """
    background = CHARM_FRACTION * pc + (1 - CHARM_FRACTION) * pu
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.log(pb / background)
    return (score > value)[index]


def leptons(
    electron_pt: ak.Array, muon_pt: ak.Array, electron: ak.Array, muon: ak.Array, value: float
) -> ak.Array:
    """A quantity of electrons and muons, one list per event, in falling pT."""
    return _merged(electron_pt, muon_pt, electron, muon)


def lepton_number(electron_pt: ak.Array, muon_pt: ak.Array, value: float) -> ak.Array:
    """How many electrons and muons each event has."""
    return ak.values_astype(ak.num(electron_pt) + ak.num(muon_pt), np.int32)


def lepton_type(electron_pt: ak.Array, muon_pt: ak.Array, value: float) -> ak.Array:
    """PDG numbers of electrons and muons, without sign, in falling pT."""
    kinds = (
        ak.values_astype(ak.full_like(electron_pt, ELECTRON), np.int32),
        ak.values_astype(ak.full_like(muon_pt, MUON), np.int32),
    )
    return _merged(electron_pt, muon_pt, *kinds)


def lepton_energy(
    electron_pt: ak.Array,
    muon_pt: ak.Array,
    electron_eta: ak.Array,
    muon_eta: ak.Array,
    value: float,
) -> ak.Array:
    """Energies of electrons and muons in MeV, in falling pT."""
    energies = (
        np.sqrt((electron_pt * np.cosh(electron_eta)) ** 2 + np.float32(ELECTRON_MASS**2)),
        np.sqrt((muon_pt * np.cosh(muon_eta)) ** 2 + np.float32(MUON_MASS**2)),
    )
    return _merged(electron_pt, muon_pt, *energies)


def lepton_identified(
    electron_pt: ak.Array, muon_pt: ak.Array, flag: ak.Array, quality: ak.Array, value: float
) -> ak.Array:
    """Electrons with their flag set, and muons of quality `value` or better with a good track."""
    muon = ((quality & MUON_QUALITY) <= int(value)) & ((quality & MUON_TRACK) != 0)
    return _merged(electron_pt, muon_pt, flag != 0, muon)


def _merged(
    electron_pt: ak.Array, muon_pt: ak.Array, electron: ak.Array, muon: ak.Array
) -> ak.Array:
    order = ak.argsort(
        ak.concatenate([electron_pt, muon_pt], axis=1), axis=1, ascending=False, stable=True
    )
    return ak.concatenate([electron, muon], axis=1)[order]


def _simulated(kind: ak.Array) -> Any:
    return ak.to_numpy(kind) & SIMULATION != 0


def _check_data(kind: ak.Array, branch: str) -> None:
    """Refuse simulated events without a branch that all of them have: NaN would go on unseen."""
    if _simulated(kind).any():
        raise BranchError(
            f"expected branch {branch} for events that say they are simulated, found none; the "
            "file is of another release or version"
        )


def _nothing(kind: ak.Array, branch: str) -> ak.Array:
    _check_data(kind, branch)
    return ak.Array(np.full(len(kind), np.nan, dtype=np.float32))


RULES: dict[str, Callable[..., Any]] = {
    rule.__name__: rule
    for rule in (
        at_least, above, differs, constant, has_bit, number, energy, massless_energy,
        channel_number, first_weight, pileup_weight, any_object, discriminant, leptons,
        lepton_number, lepton_type, lepton_energy, lepton_identified,
    )
}  # fmt: skip
"""Name of a rule in a door's table -> the rule."""
