"""The files: branch names and types of 2025, readable as the real ones, same bytes."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from coffea.nanoevents import BaseSchema, NanoEventsFactory

from pipeline.data.schema import door
from pipeline.data.synthetic import generate_file
from tests.pipeline.data.synthetic.conftest import data_settings

DOOR = door("2025e-13tev-beta")
LEFT_OUT = ("truth_", "tau_", "largeRJet_", "jet_pt_jer")
"""Collections that synthetic events do not have; tau_n and largeRJet_n are there."""


def type_of(branch: Any) -> str:
    name = branch.typename.replace("char*", "string").replace("uint8_t", "bool")
    for spelled in ("uint32", "int32", "uint64"):
        name = name.replace(f"{spelled}_t", spelled)
    return str(name)


@pytest.mark.parametrize("channel", ["hyy", "hzz4l"])
def test_branches_are_those_of_2025(channel: str, request: pytest.FixtureRequest) -> None:
    records = request.getfixturevalue(channel)
    expected = {
        name: field.type
        for name, field in DOOR.fields.items()
        if field.derived is None and (not name.startswith(LEFT_OUT) or name.endswith("Jet_n"))
    }
    expected["tau_n"] = "int32"
    for sample in list(records)[:1] + list(records)[-1:]:
        with uproot.open(records[sample]["path"]) as file:
            assert file.keys(cycle=False) == ["analysis"]
            tree = file["analysis"]
            assert {b.name: type_of(b) for b in tree.branches} == expected


def test_counters_and_door_agree(hyy: dict[str, Any]) -> None:
    path = hyy["346525"]["path"]
    names = ["photon_n", "photon_pt", "lep_n", "lep_pt", "jet_n", "jet_pt", "jet_btag", "category"]
    with uproot.open(path) as file:
        events = DOOR.unify(file["analysis"].arrays(DOOR.physical(names)), names)
    for name in ("photon", "lep", "jet"):
        assert ak.all(ak.num(events[f"{name}_pt"]) == events[f"{name}_n"])
        ordered = ak.sort(events[f"{name}_pt"], axis=1, ascending=False)
        assert ak.all(ordered == events[f"{name}_pt"])
    assert set(events.category.tolist()) == {"Higgs"}
    virtual = NanoEventsFactory.from_root(
        {path: "analysis"}, schemaclass=BaseSchema, mode="virtual"
    ).events()
    assert ak.all(DOOR.unify(virtual, ["jet_pt"]).jet_pt == events.jet_pt)


def test_same_settings_same_bytes(tmp_path: Path) -> None:
    settings = data_settings(luminosity=0.5)
    one, two = (
        generate_file("hyy", "data16_periodL", settings, tmp_path / place / "x.root")
        for place in ("a", "b")
    )
    assert (tmp_path / "a/x.root").read_bytes() == (tmp_path / "b/x.root").read_bytes()
    assert one["adler32"] == two["adler32"]
    assert (tmp_path / "a/truth/data16_periodL.parquet").read_bytes() == (
        tmp_path / "b/truth/data16_periodL.parquet"
    ).read_bytes()
    assert [p.name for p in (tmp_path / "a").iterdir() if p.name.startswith(".")] == []


def test_another_seed_gives_other_events(tmp_path: Path) -> None:
    one, two = (
        generate_file("hyy", "345061", data_settings(seed=seed), tmp_path / str(seed) / "x.root")
        for seed in (1, 2)
    )
    assert one["adler32"] != two["adler32"]
    assert abs(one["entries"] - two["entries"]) < 5 * np.sqrt(one["entries"])


def test_a_period_without_events_is_a_tree_without_entries(tmp_path: Path) -> None:
    settings = data_settings(luminosity=1e-6, mu=0.0)
    record = generate_file("hyy", "data15_periodD", settings, tmp_path / "x.root")
    assert record["entries"] == 0
    with uproot.open(tmp_path / "x.root") as file:
        assert file["analysis"].num_entries == 0
        assert "photon_pt" in file["analysis"]
