"""What the H→γγ channel needs in code: which events of data are blinded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np

from pipeline.physics.arrays import Bools
from pipeline.physics.kinematics import invariant_mass
from pipeline.physics.regions import between
from pipeline.settings import ChannelSettings, SettingsError

Indices = np.ndarray[Any, np.dtype[np.intp]]
MOMENTUM = ("photon_pt", "photon_eta", "photon_phi", "photon_e")


@dataclass(frozen=True)
class PhotonPair:
    """How an official selection chooses its two photons, and when it calls one isolated."""

    choose: Callable[[ak.Array], tuple[Indices, Indices]]
    """Events with a tight pair, shape (n,), and their photons among those of all events, (2, n)."""
    cones: tuple[str, ...]
    limit: float
    """Each cone must be below this share of the photon's pT."""
    flags: tuple[str, ...] = ()
    """What else `choose` reads."""


def blinded(events: ak.Array, channel: ChannelSettings) -> Bools:
    """Which raw events, shape (n,), hold a tight, isolated photon pair in the blinded window.

    `events` holds the variables of BLINDING_BRANCHES (GeV, radians). The pair is that of the
    official selection; no cut besides tight, isolated and the mass window is made, so that an event
    which a solution keeps by mistake is blinded too. SettingsError for a selection without a rule.
    """
    rule = PAIRS.get(channel.selection)
    if rule is None:
        raise SettingsError(
            f"expected a selection with a blinding rule ({', '.join(PAIRS)}), found "
            f"{channel.selection!r}; add its rule to pipeline/channels/hyy.py"
        )
    rows, places = rule.choose(events)
    for cone in rule.cones:
        limit = rule.limit * _flat(events, "photon_pt")[places].astype(np.float64)
        below = _flat(events, cone)[places] < limit
        isolated = np.flatnonzero(below[0] & below[1])
        rows, places = rows[isolated], places.take(isolated, axis=1)
    mass = invariant_mass(*(_flat(events, name)[places].astype(np.float64).T for name in MOMENTUM))
    mask = np.zeros(len(events), dtype=np.bool_)
    mask[rows[between(mass, channel.blind)]] = True
    return mask


def _first_two(events: ak.Array) -> tuple[Indices, Indices]:
    """2025: the first two photons, if both are tight."""
    number = ak.to_numpy(ak.num(events["photon_pt"]))
    tight = _flat(events, "photon_isTightID")
    rows = np.flatnonzero(number >= 2)
    first = (np.cumsum(number) - number)[rows]
    both = np.flatnonzero(tight[first] & tight[first + 1])
    return rows[both], np.stack([first[both], first[both] + 1])


def _exactly_two(events: ak.Array) -> tuple[Indices, Indices]:
    """2020: the tight photons with pT > 25 GeV in the fiducial region, if they are two."""
    eta = np.abs(_flat(events, "photon_eta"))
    chosen = _flat(events, "photon_isTightID") & (_flat(events, "photon_pt") > 25)
    chosen &= (eta < 2.37) & ((eta < 1.37) | (eta > 1.52))
    event = np.repeat(np.arange(len(events)), ak.to_numpy(ak.num(events["photon_pt"])))
    number = np.bincount(event[chosen], minlength=len(events))
    places = np.flatnonzero(chosen & (number[event] == 2))
    return np.flatnonzero(number == 2), places.reshape(-1, 2).T


def _two_hardest(events: ak.Array) -> tuple[Indices, Indices]:
    """2024: the two hardest of the loose, clean photons with pT > 25 GeV, if both are tight."""
    pt, tight = _flat(events, "photon_pt"), _flat(events, "photon_isTightID")
    candidate = (pt > 25) & _flat(events, "photon_isLooseID") & _flat(events, "photon_isClean")
    used = np.flatnonzero(candidate)
    event = np.repeat(np.arange(len(events)), ak.to_numpy(ak.num(events["photon_pt"])))[used]
    order = np.lexsort((-pt[used], event))
    used, event = used[order], event[order]
    second = np.flatnonzero(np.arange(len(event)) - np.searchsorted(event, event) == 1)
    both = second[tight[used[second - 1]] & tight[used[second]]]
    return event[both], np.stack([used[both - 1], used[both]])


def _flat(events: ak.Array, name: str) -> np.ndarray[Any, Any]:
    """A variable of the photons of all events, one after the other."""
    lists = ak.to_layout(events[name])
    if isinstance(lists, ak.contents.ListOffsetArray) and lists.content.is_numpy:
        return np.asarray(lists.content.data[lists.offsets[0] : lists.offsets[-1]])  # no copy
    return np.asarray(ak.to_numpy(ak.flatten(events[name])))


PAIRS = {
    "official_2025": PhotonPair(_first_two, ("photon_ptcone20",), 0.055),
    "physlite_2024": PhotonPair(
        _two_hardest, ("photon_ptcone20",), 0.055, ("photon_isLooseID", "photon_isClean")
    ),
    "official_2020": PhotonPair(_exactly_two, ("photon_ptcone30", "photon_etcone20"), 0.065),
}
"""Selection -> its photon pair (the official examples of the 2025 and 2020 releases, and that of
2025 on the files of 2024)."""

BLINDING_BRANCHES: dict[str, tuple[str, ...]] = {
    selection: (*MOMENTUM, "photon_isTightID", *rule.cones, *rule.flags)
    for selection, rule in PAIRS.items()
}
"""Selection -> the event variables that `blinded` reads."""

NOTES: dict[str, tuple[str, ...]] = {
    "physlite_2024": (
        (
            "PHYSLITE has no official selection of H→γγ: that of 2025 is applied to loose, clean "
            "photons with pT > 25 GeV; leptons are loose, jets pass the jet vertex tagger, and "
            "both are more than 0.4 away from the photons"
        ),
        (
            "PHYSLITE is calibrated as its derivation did it; there are no isolation working "
            "points (ptcone20 / pT < 0.055 is used), no scale factors but that of pile-up, and no "
            "missing transverse momentum (met_pt is NaN and no feature)"
        ),
        (
            "the list of good lumi blocks is no part of the files: the luminosity is that of the "
            "good ones, and data of the others are in the tables too"
        ),
    ),
}
"""Selection -> what a reader of its results must know; goes to the notes of the fileset."""
