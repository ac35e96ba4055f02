"""What the H→γγ channel needs in code: which events of data are blinded."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from pipeline.physics.arrays import Bools
from pipeline.physics.kinematics import invariant_mass
from pipeline.physics.regions import between
from pipeline.settings import ChannelSettings, SettingsError

BLINDING_BRANCHES: dict[str, tuple[str, ...]] = {
    "official_2025": (
        "photon_pt", "photon_eta", "photon_phi", "photon_e", "photon_isTightID", "photon_ptcone20",
    ),
    "official_2020": (
        "photon_pt", "photon_eta", "photon_phi", "photon_e", "photon_isTightID", "photon_ptcone30",
        "photon_etcone20",
    ),
}  # fmt: skip
"""Selection -> the event variables that `blinded` reads."""


def blinded(events: ak.Array, channel: ChannelSettings) -> Bools:
    """Which raw events, shape (n,), hold a tight, isolated photon pair in the blinded window.

    `events` holds the variables of BLINDING_BRANCHES (GeV, radians). The photons are those of the
    official selection: in 2025 the first two, both tight, ptcone20/pT < 0.055; in 2020 the two
    tight ones with pT > 25 GeV in the fiducial region, ptcone30/pT and etcone20/pT < 0.065. No
    other cut is made, so that an event which a solution keeps by mistake stays blinded. SettingsError
    for a selection that is not known here.
    """
    if channel.selection == "official_2025":
        pairs = ak.num(events["photon_pt"]) >= 2
        tight = events["photon_isTightID"]
        index = np.flatnonzero(pairs)
        index = index[np.asarray(ak.all(tight[pairs][:, :2], axis=1))]
        photons = {q: _pair(events[f"photon_{q}"][index]) for q in ("pt", "eta", "phi", "e")}
        cones = [_pair(events["photon_ptcone20"][index])]
        limit = 0.055
    elif channel.selection == "official_2020":
        chosen = _tight_2020(events)
        index = np.flatnonzero(ak.sum(chosen, axis=1) == 2)
        chosen = chosen[index]
        photons = {
            q: _pair(events[f"photon_{q}"][index][chosen]) for q in ("pt", "eta", "phi", "e")
        }
        cones = [_pair(events[f"photon_{c}"][index][chosen]) for c in ("ptcone30", "etcone20")]
        limit = 0.065
    else:
        raise SettingsError(
            f"expected a selection with a blinding rule ({', '.join(BLINDING_BRANCHES)}), found "
            f"{channel.selection!r}; add its rule to pipeline/channels/hyy.py"
        )
    isolated = np.logical_and.reduce([(c / photons["pt"] < limit).all(axis=1) for c in cones])
    hidden = isolated & between(invariant_mass(**photons), channel.blind)
    mask = np.zeros(len(events), dtype=np.bool_)
    mask[index[hidden]] = True
    return mask


def _tight_2020(events: ak.Array) -> ak.Array:
    """Per photon: tight, pT > 25 GeV, |eta| < 2.37 and not in 1.37-1.52."""
    eta = np.abs(events["photon_eta"])
    fiducial = (eta < 2.37) & ((eta < 1.37) | (eta > 1.52))
    return events["photon_isTightID"] & (events["photon_pt"] > 25) & fiducial


def _pair(values: ak.Array) -> np.ndarray[Any, Any]:
    """The first two of each event, shape (n, 2); every event has two."""
    return np.asarray(ak.to_numpy(values[:, :2]), dtype=np.float64)
