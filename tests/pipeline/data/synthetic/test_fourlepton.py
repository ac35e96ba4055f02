"""Synthetic H -> ZZ* -> 4l: official yields, the Z and the Higgs boson, order of leptons."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from pipeline.data.synthetic import sample_names
from tests.pipeline.data.synthetic.conftest import paths
from tests.pipeline.data.synthetic.official import selected_four_lepton


def test_samples_are_the_periods_two_signals_and_zz() -> None:
    assert sample_names("hzz4l")[16:] == ["345060", "346228", "700600"]


def test_data_number_about_the_official_1279(hzz4l: dict[str, Any]) -> None:
    masses = np.concatenate([selected_four_lepton(p) for p in paths(hzz4l, "data")])
    assert abs(len(masses) - 1279) < 4 * np.sqrt(1279)
    assert 300 < ((masses > 80) & (masses < 170)).sum() < 700
    assert ((masses > 85) & (masses < 97)).sum() > 3 * ((masses > 100) & (masses < 112)).sum()


def expected_yield(record: dict[str, Any]) -> float:
    """Selected events at 36.1 fb^-1, weights from the file's own branches."""
    with uproot.open(record["path"]) as file:
        weights = file["analysis"]["mcWeight"].array(library="np")
    selected = len(selected_four_lepton(Path(record["path"])))
    product = record["cross_section_pb"] * record["filter_efficiency"] * record["k_factor"]
    mean = float(np.mean(weights, dtype=float))
    return float(selected * mean / record["sum_of_weights"] * product * 36_100)


def test_expected_yields(hzz4l: dict[str, Any]) -> None:
    higgs = expected_yield(hzz4l["345060"]) + expected_yield(hzz4l["346228"])
    assert higgs == pytest.approx(53, abs=4)
    assert expected_yield(hzz4l["700600"]) == pytest.approx(1290, abs=60)


def test_simulation_agrees_with_data(hzz4l: dict[str, Any]) -> None:
    """The three scale factors of about 1.6 % each are what data lack."""
    expected = sum(expected_yield(hzz4l[d]) for d in ("345060", "346228", "700600"))
    observed = sum(len(selected_four_lepton(p)) for p in paths(hzz4l, "data"))
    assert observed == pytest.approx(expected * 0.953, rel=0.11)


def test_the_higgs_boson_is_at_125(hzz4l: dict[str, Any]) -> None:
    mass = selected_four_lepton(Path(hzz4l["345060"]["path"]))
    assert np.median(mass) == pytest.approx(125.0, abs=0.15)
    assert mass.std() == pytest.approx(1.5, abs=0.2)


def test_zz_has_weights_of_both_signs(hzz4l: dict[str, Any]) -> None:
    with uproot.open(hzz4l["700600"]["path"]) as file:
        weights = file["analysis"]["mcWeight"].array(library="np")
    assert (weights < 0).mean() == pytest.approx(0.171, abs=0.02)


def test_exactly_four_leptons_electrons_first(hzz4l: dict[str, Any]) -> None:
    with uproot.open(hzz4l["700600"]["path"]) as file:
        e = file["analysis"].arrays(["lep_n", "lep_type", "lep_charge", "lep_pt", "photon_n"])
    assert set(e.lep_n.tolist()) == {4}
    assert set(e.photon_n.tolist()) == {0}
    assert ak.all(e.lep_type[:, 1:] >= e.lep_type[:, :-1])
    assert ak.all(ak.sum(e.lep_charge, axis=1) == 0)
    assert ak.min(e.lep_pt) > 7
    flavours = np.unique(ak.to_numpy(ak.sum(e.lep_type, axis=1)), return_counts=True)
    assert flavours[0].tolist() == [44, 48, 52]
    np.testing.assert_allclose(flavours[1] / len(e), [0.25, 0.5, 0.25], atol=0.03)
