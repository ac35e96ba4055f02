"""The schema door against every real file at hand: same names, GeV, right numbers."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from coffea.nanoevents import BaseSchema, NanoEventsFactory

from pipeline.data.errors import BranchError, ReleaseError
from pipeline.data.schema import Derivation, door, known_releases

ZZ = "2016e-8tev/MC/mc_105986.ZZ.root"
DATA_B = "2020e-13tev/4lep/Data/data_B.4lep.root"
PERIOD_D = (
    "2025e-13tev-beta/exactly4lep/ODEO_FEB2025_v0_exactly4lep_data15_periodD.exactly4lep.root"
)
REAL = [
    ("2016e-8tev", ZZ, 12500, 50.988878381342545, 1938, 48),
    ("2016e-8tev", "2016e-8tev/MC/mc_117049.ttbar_had.root", 2517, 41.28962913005304, 1916, 48),
    ("2016e-8tev", "2016e-8tev/MC/mc_173045.DYtautauM08to15.root", 999, 34.19806715362824, 99, 48),
    ("2020e-13tev", "2020e-13tev/4lep/Data/data_A.4lep.root", 39, 41.297205078125, 7, 84),
    ("2020e-13tev", DATA_B, 156, 41.201993110156245, 20, 84),
    ("2020e-13tev", "2020e-13tev/4lep/Data/data_C.4lep.root", 237, 40.3631936840383, 24, 84),
    ("2025e-13tev-beta", PERIOD_D, 3424, 19.657495748460573, 334, 118),
]


def test_the_releases_with_a_door_are_those_of_proton_collisions() -> None:
    assert known_releases() == ["2016e-8tev", "2020e-13tev", "2024r-pp", "2025e-13tev-beta"]


@pytest.mark.realdata
@pytest.mark.parametrize(("release", "name", "entries", "mean_pt", "tagged", "fields"), REAL)
def test_every_real_file_passes_whole(
    samples: Path,
    release: str,
    name: str,
    entries: int,
    mean_pt: float,
    tagged: int,
    fields: int,
) -> None:
    entry = door(release)
    assert len(entry.fields) == fields
    names = list(entry.fields)
    with uproot.open(samples / name) as file:
        tree = file[entry.tree]
        assert set(entry.physical(names)) == set(tree.keys())
        events = entry.unify(tree.arrays(entry.physical(names)), names)
    assert events.fields == names
    assert len(events) == entries
    assert ak.mean(events.lep_pt) == pytest.approx(mean_pt, rel=1e-6)
    assert ak.sum(events.jet_btag) == tagged
    assert str(events.lep_pt.type) == f"{entries} * var * float32"
    assert str(events.jet_btag.type) == f"{entries} * var * bool"


@pytest.mark.realdata
def test_an_event_of_2020_in_gev(samples: Path) -> None:
    entry = door("2020e-13tev")
    names = ["lep_pt", "lep_e", "met", "xsec", "sum_of_weights", "filteff", "kfac", "eventNumber"]
    event = entry.unify(uproot.open(samples / DATA_B)["mini"].arrays(), names)[0]
    expected_pt = [49.04512109375, 38.04930859375, 35.70669140625, 34.4156640625]
    assert event.lep_pt.tolist() == pytest.approx(expected_pt, rel=1e-7)
    assert event.lep_e[0] == pytest.approx(69.41128125, rel=1e-7)
    assert event.met == pytest.approx(23.309172, rel=1e-7)
    assert (event.xsec, event.sum_of_weights, event.filteff, event.kfac) == (1, 1, 1, 1)
    assert event.eventNumber == 1336849883


def test_a_threshold_in_gev_is_the_threshold_in_mev() -> None:
    """25,000 MeV is 25 GeV exactly: float32(0.001) times it is not."""
    entry = door("2020e-13tev")
    mev = ak.Array({"jet_pt": [np.array([25000.0, 35000.0, 60000.0], dtype=np.float32)]})
    assert entry.unify(mev, ["jet_pt"]).jet_pt.tolist() == [[25.0, 35.0, 60.0]]
    assert np.float32(25000.0) * np.float32(0.001) > np.float32(25.0)


@pytest.mark.realdata
def test_virtual_arrays_of_coffea_give_the_same_values(samples: Path) -> None:
    entry = door("2025e-13tev-beta")
    names = ["lep_pt", "met", "eventNumber", "jet_btag"]
    virtual = NanoEventsFactory.from_root(
        {str(samples / PERIOD_D): "analysis"}, schemaclass=BaseSchema, mode="virtual"
    ).events()
    plain = uproot.open(samples / PERIOD_D)["analysis"].arrays(entry.physical(names))
    theirs, ours = entry.unify(virtual, names), entry.unify(plain, names)
    assert theirs.fields == names
    for name in names:
        assert ak.all(theirs[name] == ours[name])


def test_a_value_in_gev_is_not_copied() -> None:
    numbers = np.arange(5, dtype=np.float32)
    unified = door("2025e-13tev-beta").unify({"met": ak.Array(numbers)}, ["met"])
    assert np.shares_memory(ak.to_numpy(unified.met), numbers)


def test_branches_are_listed_once_in_the_order_of_first_use() -> None:
    entry = door("2020e-13tev")
    assert entry.physical(["photon_e", "jet_btag", "xsec", "kfac", "photon_e", "met"]) == [
        "photon_E",
        "jet_MV2c10",
        "XSection",
        "met_et",
    ]


def test_the_three_spellings_of_one_variable() -> None:
    names = ["lep_e", "met", "ScaleFactor_PILEUP", "lep_d0"]
    old = ["lep_E", "met_et", "scaleFactor_PILEUP", "lep_trackd0pvunbiased"]
    assert door("2016e-8tev").physical(names) == old
    assert door("2020e-13tev").physical(names) == old
    assert door("2025e-13tev-beta").physical(names) == names


def test_an_unknown_variable_names_its_neighbours() -> None:
    with pytest.raises(BranchError, match=r"has no variable 'photon_E'; nearest: .*photon_e"):
        door("2020e-13tev").physical(["photon_E"])
    with pytest.raises(KeyError, match="has no variable 'qqqqqqq'; known: num_events"):
        door("2025e-13tev-beta").physical(["qqqqqqq"])


def test_a_file_without_the_branch_is_said_to_be_of_another_version() -> None:
    with pytest.raises(BranchError, match="expected branch 'photon_e' for variable 'photon_e'"):
        door("2025e-13tev-beta").unify({"photon_E": ak.Array([[1.0]])}, ["photon_e"])


def test_no_variable_at_all_is_refused() -> None:
    with pytest.raises(BranchError, match="at least one variable"):
        door("2025e-13tev-beta").unify({"met": ak.Array([1.0])}, [])


def test_an_unknown_release_names_the_known_ones() -> None:
    with pytest.raises(ReleaseError, match="no schema for release '2020'; known: 2016e-8tev"):
        door("2020")


@pytest.mark.parametrize(
    ("release", "branch", "values", "expected"),
    [
        ("2016e-8tev", "jet_MV1", [0.7892, 0.79], [False, True]),
        ("2020e-13tev", "jet_MV2c10", [0.82, 0.8245], [False, True]),
        ("2025e-13tev-beta", "jet_btag_quantile", [3, 4, 5], [False, True, True]),
    ],
)
def test_the_btag_is_the_70_percent_point_of_each_release(
    release: str, branch: str, values: list[float], expected: list[bool]
) -> None:
    unified = door(release).unify({branch: ak.Array([values])}, ["jet_btag"])
    assert unified.jet_btag.tolist() == [expected]


def test_any_trigger_bit_of_2016_is_a_match() -> None:
    unified = door("2016e-8tev").unify(
        {"lep_trigMatched": ak.Array([[0, 1, 4]])}, ["lep_isTrigMatched"]
    )
    assert unified.lep_isTrigMatched.tolist() == [[False, True, True]]


def test_a_constant_takes_the_shape_of_its_source() -> None:
    assert Derivation("constant", 1.0)(ak.Array([0.5, 2.0])).tolist() == [1.0, 1.0]
