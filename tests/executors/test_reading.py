"""Virtual arrays over branches read in bulk hold what a plain read holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from executors import reading
from executors.base import Chunk
from tests.executors.conftest import chunks_of

FILES = {
    "2025e-13tev-beta": ("exactly4lep/*periodD*.root", "analysis"),
    "2020e-13tev": ("4lep/Data/data_C.4lep.root", "mini"),
    "2016e-8tev": ("MC/mc_117049.ttbar_had.root", "mini"),
}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    reading.close()


@pytest.mark.realdata
@pytest.mark.parametrize("release", FILES)
@pytest.mark.parametrize("start", [0, 77])
def test_every_branch_of_every_release(release: str, start: int, samples: Path) -> None:
    """Strings, C arrays, vectors and RVecs; chunks that begin and end inside of baskets."""
    pattern, name = FILES[release]
    (path,) = (samples / release).glob(pattern)
    with uproot.open(path) as file:
        tree = file[name]
        branches = [branch.name for branch in tree.branches]
        stop = tree.num_entries - 5
        plain = tree.arrays(branches, entry_start=start, entry_stop=stop, how=dict)
    events = reading.read(Chunk("c", "s", str(path), name, start, stop), branches)
    assert sorted(events.fields) == sorted(branches)
    for branch in branches:
        found = ak.Array(ak.materialize(events[branch]).layout)
        same = ak.array_equal(found, plain[branch], equal_nan=True, check_parameters=False)
        assert same, branch


def test_only_the_branches_asked_for_are_there(root_file: Path) -> None:
    (chunk,) = chunks_of(root_file, 250, 650)
    events = reading.read(chunk, ["pt"])
    assert events.fields == ["pt"]
    assert ak.num(events["pt"]).tolist() == [n % 4 for n in range(250, 650)]


def test_the_schema_of_a_file_is_made_once_and_by_coffea(root_file: Path) -> None:
    """`_factory` counts on `from_root` making its schema by calling `schemaclass`, once."""
    first, second = chunks_of(root_file, 0, 400, 800)
    reading.read(first, ["pt"])
    (made,) = reading._SCHEMAS.values()
    events = reading.read(second, ["pt"])
    assert list(reading._SCHEMAS.values()) == [made]
    assert made.form["fields"] == ["pt"]
    assert ak.num(events["pt"]).tolist() == [n % 4 for n in range(400, 800)]


def test_too_few_entries_are_refused(root_file: Path) -> None:
    (chunk,) = chunks_of(root_file, 990, 1010)
    with pytest.raises(reading.EventCountError, match="expected 20 events of 1 branches, found 10"):
        reading.read(chunk, ["pt"])


def test_a_file_that_was_replaced_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    (chunk,) = chunks_of(path, 0, 3)
    for value in (1, 2):
        fresh = tmp_path / "fresh.root"
        with uproot.recreate(fresh) as file:
            file.mktree("analysis", {"number": "int64"})
            file["analysis"].extend({"number": np.full(3, value)})
        os.utime(fresh, ns=(value * 10**9, value * 10**9))
        os.replace(fresh, path)
        assert reading.read(chunk, ["number"])["number"].tolist() == [value] * 3


def test_a_file_that_is_cut_short_while_it_is_open_is_an_error(tmp_path: Path) -> None:
    """And no SIGBUS, as it would be of a file that is mapped into memory."""
    path = tmp_path / "cut.root"
    noise = np.random.default_rng(1).integers(0, 2**62, 200_000)
    with uproot.recreate(path, compression=None) as file:
        file.mktree("analysis", {"number": "int64"})
        file["analysis"].extend({"number": noise})
    tree = reading._open_local(str(path))["analysis"]
    os.truncate(path, 10_000)
    with pytest.raises(OSError, match="expected Chunk of length"):
        tree.arrays(["number"])


PHYSLITE = "2024r-pp/PHYSLITE_example.root"
LINK = "AnalysisJetsAuxDyn.btaggingLink/AnalysisJetsAuxDyn.btaggingLink.m_persIndex"
MATCHED = "AnalysisTrigMatch_HLT_g35_loose_g25_looseAuxDyn.TrigMatchedObjects"


@pytest.mark.realdata
def test_parts_of_branches_and_element_links_stand_beside_the_flat_ones(samples: Path) -> None:
    chunk = Chunk("c", "s", str(samples / PHYSLITE), "CollectionTree", 90, 100)
    wanted = ["AnalysisJetsAuxDyn.pt", LINK, MATCHED]
    events = reading.read(chunk, wanted)
    assert sorted(events.fields) == sorted(wanted)
    with uproot.open(chunk.path) as file:
        tree = file[chunk.tree]
        plain = {n: tree[n].array(entry_start=90, entry_stop=100) for n in wanted}
    for name, array in plain.items():
        found = ak.Array(ak.materialize(events[name]).layout)
        assert ak.array_equal(found, array, check_parameters=False), name
    assert ak.num(events[MATCHED]).tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_a_branch_that_may_be_missing_is_read_where_it_is(root_file: Path) -> None:
    (chunk,) = chunks_of(root_file, 0, 10)
    assert reading.read(chunk, ["pt?", "eta?"]).fields == ["pt"]
    with pytest.raises(reading.EventCountError, match="found 10 of 1"):
        reading.read(chunk, ["pt?", "eta"])


def test_an_rntuple_is_read_like_a_tree(tmp_path: Path) -> None:
    path = tmp_path / "synthetic.root"
    pt = [[float(n)] * (n % 3) for n in range(20)]
    with uproot.recreate(path) as file:
        file.mkrntuple("events", ak.Array({"pt": pt, "run": np.arange(20)}))
    with uproot.open(path) as file:
        assert file.classnames() == {"events;1": "ROOT::RNTuple"}
    events = reading.read(Chunk("c", "s", str(path), "events", 5, 15), ["run", "pt"])
    assert ak.to_list(events["pt"]) == pt[5:15]
    assert ak.to_list(events["run"]) == list(range(5, 15))
