"""Trying a solution of convert: events of data and of signal, and what their rows must be."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd

from agents.evidence import Finding
from pipeline.data.parts import may_be_read
from pipeline.physics.kinematics import invariant_mass
from pipeline.settings import Settings
from pipeline.stages.contract import StageContext
from pipeline.stages.convert.columns import columns
from pipeline.stages.convert.contract import Converted
from pipeline.stages.convert.events import readable_events
from pipeline.stages.convert.hints import hints
from pipeline.stages.convert.identity import keys
from pipeline.stages.trial import (
    Slice,
    StageHint,
    Values,
    at_least_one,
    equal,
    holds,
    near,
    odd_medians,
)

EVENTS = 20_000
"""Events of a slice."""
MANY = {"data": 10_000, "mc": 1_000}
"""Events of which at least one must become a row (of H→ZZ*→4ℓ data one in a thousand does)."""
PLAUSIBLE = (0.3, 3_000.0)
"""GeV: where the median of energies lies. In MeV it is at least 10,000, in TeV at most 0.3."""
FLAGS = ("ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated")
STEPS = {
    ("hyy", "official_2025"): (
        "all", "tight", "pt", "isolation", "crack", "mass", "pt_over_m",
    ),
    ("hyy", "physlite_2024"): (
        "all", "two_photons", "tight", "pt", "isolation", "crack", "mass", "pt_over_m",
    ),
    ("hyy", "official_2020"): ("all", "trigger", "two_tight", "isolation", "pt_over_m"),
    ("hzz4l", "official_2025"): (
        "all", "trigger", "trigger_matched", "lepton_pt", "good_leptons", "flavour", "charge",
    ),
    ("hzz4l", "official_2020"): ("all", "flavour", "charge"),
    ("hzz4l", "standard_2016"): ("all", "trigger", "quality", "good_leptons", "flavour", "charge"),
}  # fmt: skip
"""(channel, selection) -> the names of the cut flow, in the order of the task."""
OBJECTS = {"hyy": ("ph1", "ph2"), "hzz4l": ("lep1", "lep2", "lep3", "lep4")}
"""The objects that every row has, and whose mass is the observable."""
MASS, ENERGY = 1e-3, 1e-6
"""Relative to the mass, and to the energy: masses far below the energy lose digits."""
ROUNDING = 1e-5
"""Relative, for numbers that are 4-byte numbers in the file."""


class ConvertTrial:
    """Slices, findings and hints of convert."""

    def slices(self, context: StageContext) -> Iterator[Slice]:
        """The first events of a data sample and of a signal sample, and a chunk without events."""
        return at_least_one(_slices(context), "convert", "a readable file of data or of signal")

    def findings(self, given: Slice, product: Converted, context: StageContext) -> list[Finding]:
        """Cut flow, rows, units, finite values, masses, and weights that belong to the events."""
        channel = context.settings.channel
        events, table = given.arguments["events"], product.table
        selected = len(table)
        if channel.name == "hyy":
            selected = int(table[list(FLAGS)].all(axis=1).sum())
        counts = [n for _, n in product.cutflow]
        steps = STEPS[channel.name, channel.selection]
        falls = all(b <= a for a, b in pairwise(counts))
        found = [
            equal("cut flow: names in the order of the task", ", ".join(steps),
                  ", ".join(name for name, _ in product.cutflow)),
            Finding("cut flow never rises", falls, "numbers that fall", str(counts)),
            equal("cut flow ends with the rows that pass every cut", selected, counts[-1]),
        ]  # fmt: skip
        if not len(events):
            return [*found, equal("no events, no rows", 0, len(table))]
        simulated = _simulated(events)
        if len(events) >= MANY["mc" if simulated else "data"]:
            passed = len(table) > 0
            title = "rows of many events are not empty"
            found.append(Finding(title, passed, "1 row or more", f"{len(table)} rows"))
        if not len(table):
            return found
        place = _places(table, events)
        found += [
            _finite(table, channel.name), _units(table, channel.name),
            _mass(table, OBJECTS[channel.name], channel.observable),
            _belong(table, events, place),
        ]  # fmt: skip
        if simulated:
            return found + _simulation(table, events, place, channel.scale_factors)
        return found + _data(table)

    def hints(self, settings: Settings) -> tuple[StageHint, ...]:
        """Work on arrays, in GeV and float64; ask for the branches that are used."""
        return hints(settings)


TRIAL = ConvertTrial()


def _slices(context: StageContext) -> Iterator[Slice]:
    samples = context.fileset["samples"]
    channel = context.settings.channel.name
    empty: Slice | None = None
    for role in ("data", "signal"):
        for name in sorted(n for n, s in samples.items() if _role(s) == role):
            events = _first(context, name)
            if events is None or not len(events):
                continue
            if empty is None:
                empty = Slice(f"{name}, no events", {"events": events[:0], "channel": channel})
            # The number of a whole file is not said: beside that of the slice it would tell how
            # many events are blinded.
            title = f"{name}, {f'first {EVENTS}' if len(events) == EVENTS else 'all'} events"
            if role == "data":
                events = _without_blinded(events, context.settings)
            yield Slice(title, {"events": events, "channel": channel})
            break
    if empty is not None:
        yield empty


def _role(sample: Mapping[str, Any]) -> str:
    return "data" if sample["kind"] == "data" else str(sample.get("role", ""))


def _first(context: StageContext, name: str) -> ak.Array | None:
    """The first events of the sample's first file that can be read."""
    tree, release = context.fileset["tree"], context.settings.data.release
    sample = context.fileset["samples"][name]
    for file in sample["files"]:
        if not may_be_read(context.fileset, file):
            continue
        events = readable_events(file["path"], tree, release, 0, EVENTS, (), sample)
        if events is not None:
            return events
    return None


def _without_blinded(events: ak.Array, settings: Settings) -> ak.Array:
    """The events that may be shown; all of them where the run or the channel hides none."""
    channel = settings.channel
    rules = importlib.import_module(f"pipeline.channels.{channel.name}")
    if settings.unblind or channel.selection not in rules.BLINDING_BRANCHES:
        return events
    return events[~rules.blinded(events, channel)]


def _simulated(events: ak.Array) -> bool:
    """Events of data have their run number as channel number."""
    return bool(ak.any(events["channelNumber"] != events["runNumber"]))


def _places(table: pd.DataFrame, events: ak.Array) -> np.ndarray[Any, np.dtype[np.intp]] | None:
    """The event of each row; None if events share their numbers, so that it cannot be told."""
    given = keys(events["runNumber"], events["eventNumber"])
    order = np.argsort(given, kind="stable")
    ordered = given[order]
    if bool(np.any(ordered[1:] == ordered[:-1])):
        return None
    rows = keys(table["run_number"], table["event_number"]).astype(ordered.dtype)
    return np.asarray(order[np.searchsorted(ordered, rows)])


def _numbers(table: pd.DataFrame, name: str) -> Values:
    return table[name].to_numpy(np.float64)


def _finite(table: pd.DataFrame, channel: str) -> Finding:
    """The objects of the selection are there in every row, and so are their momenta."""
    names = [f"{o}_{q}" for o in OBJECTS[channel] for q in ("pt", "eta", "phi", "e")]
    names += ["weight", "ht_jets", "pt_yy", "m_yy"] if channel == "hyy" else ["weight", "pt_4l"]
    bad = {name: int((~np.isfinite(_numbers(table, name))).sum()) for name in names}
    problems = [f"{name} is not in {n} of {len(table)} rows" for name, n in bad.items() if n]
    return holds("finite numbers where the selection needs them", problems, "finite numbers")


def _units(table: pd.DataFrame, channel: str) -> Finding:
    energies = {c.name: _numbers(table, c.name) for c in columns(channel) if c.unit == "GeV"}
    low, high = PLAUSIBLE
    wanted = f"medians of energies and masses from {low:g} to {high:g} GeV"
    return holds("units: GeV", odd_medians(energies, PLAUSIBLE), wanted)


def _mass(table: pd.DataFrame, objects: tuple[str, ...], observable: str) -> Finding:
    """The mass is that of the row's own objects, but for rounding."""
    pt, eta, phi, e = (
        np.stack([_numbers(table, f"{o}_{q}") for o in objects], axis=-1)
        for q in ("pt", "eta", "phi", "e")
    )
    right, mass = invariant_mass(pt, eta, phi, e), _numbers(table, observable)
    allowed = 2 * MASS * right**2 + ENERGY * e.sum(axis=-1) ** 2
    wrong = np.isfinite(right) & ~(np.abs(mass**2 - right**2) <= allowed)
    title = f"{observable} is the mass of the objects in its row"
    return equal(title, "wrong in 0 rows", f"wrong in {int(wrong.sum())} rows")


def _belong(table: pd.DataFrame, events: ak.Array, place: Any) -> Finding:
    """Columns that are copied are those of the row's own event."""
    problems = []
    copied = {"channel_number": "channelNumber", "met_pt": "met", "met_phi": "met_phi"}
    for column, variable in copied.items():
        if place is None or variable not in events.fields:
            continue
        right = ak.to_numpy(events[variable])[place].astype(np.float64)
        wrong = ~np.isclose(_numbers(table, column), right, ROUNDING, ROUNDING, equal_nan=True)
        if wrong.any():
            problems.append(f"{column} is not that of the event in {int(wrong.sum())} rows")
    return holds("values belong to the event of their row", problems, "those of the event")


def _simulation(
    table: pd.DataFrame, events: ak.Array, place: Any, factors: tuple[str, ...]
) -> list[Finding]:
    weight = _numbers(table, "weight")
    found = [_not_zero("simulation", weight)]
    if place is None:
        return found
    variables = {n: ak.to_numpy(events[n])[place].astype(np.float64) for n in
                 ("mcWeight", *factors, "sum_of_weights", "xsec", "filteff", "kfac")
                 if n in events.fields}  # fmt: skip
    right = np.prod([variables[n] for n in ("mcWeight", *factors)], axis=0)
    signs = int((right < 0).sum()), int((weight < 0).sum())
    scale = float(np.abs(right).sum())
    found += [
        equal("simulation: weights keep their sign (negative ones)", *signs),
        near("simulation: sum of weights is that of the same events", float(right.sum()),
             float(weight.sum()), ROUNDING * scale),
    ]  # fmt: skip
    problems = []
    for column, names in (
        ("sum_weights", ("sum_of_weights",)), ("xsection", ("xsec", "filteff", "kfac")),
    ):  # fmt: skip
        expected = np.prod([variables[n] for n in names], axis=0)
        same = np.isclose(_numbers(table, column), expected, ROUNDING, 0.0)
        if not same.all():
            problems.append(f"{column} is not {' times '.join(names)} in {int((~same).sum())} rows")
    title = "simulation: sum of weights and cross-section of the sample"
    return [*found, holds(title, problems, "those of the file")]


def _data(table: pd.DataFrame) -> list[Finding]:
    weight = _numbers(table, "weight")
    other = weight[weight != 1]
    said = f"{other[0]:g} in {len(other)} of {len(weight)} rows" if len(other) else "1"
    names = [n for n in ("sum_weights", "xsection") if not table[n].isna().all()]
    problems = [f"{name} has numbers" for name in names]
    return [
        _not_zero("data", weight),
        Finding("data: weight of an event is 1", not len(other), "1", said),
        holds("data: no sum of weights, no cross-section", problems, "NaN in every row"),
    ]


def _not_zero(kind: str, weight: Values) -> Finding:
    problems = [] if weight.any() else ["all weights are 0"]
    return holds(f"{kind}: not all weights zero", problems, "weights that are not 0")
