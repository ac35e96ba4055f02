"""A few events from the end of a sample, and the known ways in which the guard changes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.judge.guard import every_third
from pipeline.stages.convert.events import readable_events

SLICE_EVENTS = 5_000
"""Events that the guard reads of a sample: the last ones of its last readable file."""
ENERGY_SCALE = 1.05
"""Factor on the pT and energy of photons and leptons: a twentieth moves a mass visibly and leaves
pT/m as it was."""
SCALED = ("photon_pt", "photon_e", "lep_pt", "lep_e")
EVENT_SHIFT = 7_000_003
"""Added to event numbers: events that no stored answer knows."""
WEIGHT_FACTOR = 2.0


@dataclass(frozen=True)
class Slice:
    """Events of one sample, with every variable that its file has."""

    sample: str
    simulated: bool
    events: ak.Array


def slices(fileset: Mapping[str, Any], release: str) -> Iterator[Slice]:
    """One slice of data and one of simulation, where the fileset has a readable file of them.

    The largest sample of each kind is taken (by events; of equals the first by name).
    """
    for kind in ("data", "mc"):
        ordered = sorted(
            (name for name, s in fileset["samples"].items() if s["kind"] == kind and s["files"]),
            key=lambda name: (-_entries(fileset["samples"][name]), name),
        )
        for name in ordered:
            events = _last_events(fileset, name, release)
            if events is not None and len(events):
                yield Slice(name, kind == "mc", events)
                break


def _entries(sample: Mapping[str, Any]) -> int:
    return sum(int(file["entries"] or 0) for file in sample["files"])


def _last_events(fileset: Mapping[str, Any], name: str, release: str) -> ak.Array | None:
    """The last events of the sample's last readable file; a broken file is execute's to report."""
    tree, sample = fileset["tree"], fileset["samples"][name]
    for file in reversed(sample["files"]):
        stop = int(file["entries"] or SLICE_EVENTS)
        start = max(0, stop - SLICE_EVENTS)
        events = readable_events(file["path"], tree, release, start, stop, (), sample)
        if events is not None:
            return events
    return None


def kept_events(events: ak.Array) -> tuple[ak.Array, npt.NDArray[np.bool_]]:
    """The events without every third one, and the mask of those that stay."""
    stay = every_third(len(events))
    return events[stay], stay


def turned(events: ak.Array) -> ak.Array:
    """The events in the opposite order."""
    return events[::-1]


def scaled(events: ak.Array) -> ak.Array:
    """Photons and leptons with `ENERGY_SCALE` times their energy and transverse momentum."""
    for name in SCALED:
        if name in events.fields:
            factor = np.float32(ENERGY_SCALE)
            events = ak.with_field(events, events[name] * factor, name)
    return events


def renamed(events: ak.Array, simulated: bool) -> ak.Array:
    """The events under other numbers; simulated ones with `WEIGHT_FACTOR` times the weight."""
    number = ak.to_numpy(events["eventNumber"]).astype(np.int64)
    events = ak.with_field(events, number + EVENT_SHIFT, "eventNumber")
    if simulated and "mcWeight" in events.fields:
        events = ak.with_field(events, events["mcWeight"] * np.float32(WEIGHT_FACTOR), "mcWeight")
    return events


def renamed_rows(table: pd.DataFrame, simulated: bool) -> pd.DataFrame:
    """What `renamed` must do to the rows of a converted table."""
    factor = WEIGHT_FACTOR if simulated else 1.0
    return table.assign(
        event_number=table["event_number"] + EVENT_SHIFT, weight=table["weight"] * factor
    )


def rows_of(table: pd.DataFrame, events: ak.Array) -> npt.NDArray[np.bool_]:
    """Which rows of a converted table are of one of these events."""
    given = pd.MultiIndex.from_arrays(
        [ak.to_numpy(events["runNumber"]), ak.to_numpy(events["eventNumber"])]
    )
    rows = pd.MultiIndex.from_frame(table[["run_number", "event_number"]])
    return np.asarray(rows.isin(given))
