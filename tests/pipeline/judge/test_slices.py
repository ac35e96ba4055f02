"""Slices of the input and their known changes, on synthetic files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from pipeline.data.synthetic import generate_file
from pipeline.judge.slices import (
    ENERGY_SCALE,
    EVENT_SHIFT,
    SLICE_EVENTS,
    kept_events,
    renamed,
    rows_of,
    scaled,
    slices,
    turned,
)
from tests.pipeline.judge.tables import converted
from tests.pipeline.stages.small_run import settings

DATA, SIMULATION, RELEASE = "data15_periodD", "345061", "2025e-13tev-beta"


@pytest.fixture(scope="module")
def fileset(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("files")
    data = replace(settings().data, synthetic=True, thinning=0.01)
    samples = {}
    for name in (DATA, SIMULATION):
        made = generate_file("hyy", name, data, folder / f"{name}.root")
        file = {"path": made["path"], "entries": made["entries"]}
        samples[name] = {"kind": made["kind"], "files": [file]}
    return {"tree": "analysis", "samples": samples}


def test_the_last_events_of_each_kind_are_taken(fileset) -> None:
    found = list(slices(fileset, RELEASE))
    assert [(s.sample, s.simulated) for s in found] == [(DATA, False), (SIMULATION, True)]
    entries = [fileset["samples"][s.sample]["files"][0]["entries"] for s in found]
    assert [len(s.events) for s in found] == [min(SLICE_EVENTS, n) for n in entries]
    assert len(found[1].events) == SLICE_EVENTS
    assert {"photon_pt", "eventNumber", "jet_btag", "mcWeight"} <= set(found[1].events.fields)


def test_a_broken_file_is_passed_over(fileset, tmp_path: Path) -> None:
    broken = tmp_path / "broken.root"
    broken.write_bytes(b"not a ROOT file")
    files = [*fileset["samples"][DATA]["files"], {"path": str(broken), "entries": 10**6}]
    samples = {**fileset["samples"], DATA: {"kind": "data", "files": files}}
    assert [s.sample for s in slices({**fileset, "samples": samples}, RELEASE)] == [
        DATA, SIMULATION,
    ]  # fmt: skip
    none = {DATA: {"kind": "data", "files": files[-1:]}}
    assert list(slices({**fileset, "samples": none}, RELEASE)) == []


def test_each_change_is_the_one_it_says(fileset) -> None:
    events = list(slices(fileset, RELEASE))[1].events
    fewer, stay = kept_events(events)
    assert len(fewer) == len(events) - -(-len(events) // 3)
    assert ak.all(fewer["eventNumber"] == events["eventNumber"][stay])
    assert turned(events)["eventNumber"][0] == events["eventNumber"][-1]

    more = scaled(events)
    for name in ("photon_pt", "photon_e", "lep_pt"):
        ratio = ak.to_numpy(ak.flatten(more[name] / events[name]))
        assert ratio == pytest.approx(ENERGY_SCALE, rel=1e-6)
    assert ak.all(more["photon_eta"] == events["photon_eta"])
    assert ak.all(more["jet_pt"] == events["jet_pt"], axis=None)
    assert more["photon_pt"].type == events["photon_pt"].type

    other = renamed(events, simulated=True)
    difference = ak.to_numpy(other["eventNumber"]) - ak.to_numpy(events["eventNumber"]).astype(int)
    assert np.all(difference == EVENT_SHIFT)
    assert ak.all(other["mcWeight"] == 2 * events["mcWeight"])
    assert ak.all(renamed(events, simulated=False)["mcWeight"] == events["mcWeight"])


def test_rows_are_found_by_run_and_event() -> None:
    table = converted(6)
    events = ak.zip(
        {"runNumber": np.array([284500, 284500, 1]), "eventNumber": np.array([14, 42, 21])}
    )
    assert list(rows_of(table, events)) == [False, True, False, False, False, True]
