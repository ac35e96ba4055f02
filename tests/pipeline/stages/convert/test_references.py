"""Our solutions on events made by hand, cut by cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.pipeline.stages.convert.events import back_to_back, convert

CUTS_2025 = ["all", "tight", "pt", "isolation", "crack", "mass", "pt_over_m"]
CUTS_2024 = ["all", "two_photons", *CUTS_2025[1:]]


def counts(converted: Any) -> list[int]:
    return [n for _, n in converted.cutflow]


def one(converted: Any, name: str) -> Any:
    (value,) = converted.columns[name]
    return value


@pytest.mark.parametrize(
    ("photons", "survives", "kept"),
    [
        (back_to_back(), 6, True),
        (back_to_back()[:1], 0, False),
        (back_to_back(isTightID=False), 0, True),
        ([back_to_back()[0], {**back_to_back()[1], "isTightID": False}], 0, True),
        (back_to_back(pt=49.0), 1, False),
        (back_to_back(ptcone20=4.0), 2, True),
        (back_to_back(ptcone20=3.4), 6, True),
        (back_to_back(eta=1.45), 3, False),
        (back_to_back(eta=-1.45), 3, False),
        (back_to_back(eta=2.4), 3, False),
        (back_to_back(eta=1.36), 6, True),
        ([{"phi": 1.0}, {"phi": 1.0}], 4, False),
        ([{"pt": 60.0, "e": 10.0}, {"pt": 60.0, "phi": np.pi / 2, "e": 10.0}], 4, False),
        ([{"pt": 200.0}, {"pt": 31.0, "phi": np.pi}], 5, False),
        ([*back_to_back(), {"pt": 90.0, "isTightID": False}], 6, True),
    ],
)
def test_hyy_2025_cut_by_cut(photons: list[dict[str, Any]], survives: int, kept: bool) -> None:
    found = convert("hyy", "2025", [{"photon": photons}])
    assert [name for name, _ in found.cutflow] == CUTS_2025
    assert counts(found) == [1] * (survives + 1) + [0] * (6 - survives)
    assert len(found) == int(kept)


def test_hyy_2025_columns() -> None:
    event = {
        "photon": [
            {"pt": 75.0, "eta": 0.5, "ptcone20": 3.0},
            {"pt": 50.0, "eta": -0.3, "phi": np.pi, "ptcone20": 5.0, "isTightID": False},
        ],
        "lep": [{"pt": 12.0, "eta": 1.0}, {"pt": 9.0}, {"pt": 40.0, "eta": -2.0}],
        "jet": [{"pt": 30.0, "eta": 3.0}, {"pt": 80.0, "eta": 1.0, "btag": True}, {"pt": 24.0}],
        "trigP": False, "eventNumber": 2**33 + 1,
    }  # fmt: skip
    found = convert("hyy", "2025", [event])
    px, pz = 25.0, 75 * np.sinh(0.5) - 50 * np.sinh(0.3)
    e = 75 * np.cosh(0.5) + 50 * np.cosh(0.3)
    assert one(found, "m_yy") == pytest.approx(np.sqrt(e**2 - px**2 - pz**2), rel=1e-6)
    assert one(found, "pt_yy") == pytest.approx(px, rel=1e-6)
    assert one(found, "ph1_isolation") == pytest.approx(0.04)
    assert (one(found, "ph1_isolated"), one(found, "ph2_isolated")) == (True, False)
    assert (one(found, "ph1_tight"), one(found, "ph2_tight")) == (True, False)
    assert [one(found, f"lep{i}_pt") for i in (1, 2)] == [40.0, 12.0]
    assert [one(found, f"lep{i}_eta") for i in (1, 2)] == [-2.0, 1.0]
    assert [one(found, f"jet{i}_pt") for i in (1, 2)] == [80.0, 30.0]
    assert np.isnan([one(found, f"jet{i}_{q}") for i in range(3, 7) for q in ("pt", "eta")]).all()
    names = ("n_leptons", "n_jets", "n_jets_central", "n_bjets")
    assert [one(found, name) for name in names] == [2, 2, 1, 1]
    assert one(found, "ht_jets") == 110.0
    assert (one(found, "run_number"), one(found, "event_number")) == (280000, 2**33 + 1)
    assert one(found, "trigger") == np.False_
    assert one(found, "weight") == 1.0
    assert np.isnan([one(found, "sum_weights"), one(found, "xsection")]).all()


def test_weights_of_simulation_keep_their_sign() -> None:
    simulated = {
        "photon": back_to_back(), "channelNumber": 343981, "mcWeight": -2.0,
        "ScaleFactor_PHOTON": 0.5, "ScaleFactor_PILEUP": 1.5, "xsec": 28.3, "filteff": 0.5,
        "kfac": 2.0, "sum_of_weights": 1.0e6,
    }  # fmt: skip
    found = convert("hyy", "2025", [simulated])
    assert one(found, "weight") == -1.5
    assert one(found, "xsection") == pytest.approx(28.3)
    assert one(found, "sum_weights") == 1.0e6
    assert one(found, "channel_number") == 343981


@pytest.mark.parametrize(
    ("photons", "survives", "kept"),
    [
        (back_to_back(), 7, True),
        (back_to_back()[:1], 0, False),
        ([back_to_back()[0], {"pt": 24.0, "phi": np.pi}], 0, False),
        ([back_to_back()[0], {**back_to_back()[1], "isLooseID": False}], 0, False),
        ([back_to_back()[0], {**back_to_back()[1], "isClean": False}], 0, False),
        ([{"pt": 26.0, "isTightID": False}, *back_to_back()], 7, True),
        ([{"pt": 90.0, "isLooseID": False}, *back_to_back()], 7, True),
        ([{"pt": 90.0, "isTightID": False, "phi": 1.0}, *back_to_back()], 1, True),
        (back_to_back(isTightID=False), 1, True),
        (back_to_back(pt=49.0), 2, False),
        (back_to_back(ptcone20=4.0), 3, True),
        (back_to_back(ptcone20=3.4), 7, True),
        (back_to_back(eta=-1.45), 4, False),
        ([{"phi": 1.0}, {"phi": 1.0}], 5, False),
        ([{"pt": 200.0}, {"pt": 31.0, "phi": np.pi}], 6, False),
    ],
)
def test_hyy_2024_cut_by_cut(photons: list[dict[str, Any]], survives: int, kept: bool) -> None:
    found = convert("hyy", "2024", [{"photon": photons}])
    assert [name for name, _ in found.cutflow] == CUTS_2024
    assert counts(found) == [1] * (survives + 1) + [0] * (7 - survives)
    assert len(found) == int(kept)


def test_hyy_2024_takes_the_hardest_photons_and_what_is_away_from_them() -> None:
    first = {
        "photon": [{"pt": 50.0, "phi": 3.1}, {"pt": 75.0, "eta": 0.5, "ptcone20": 3.0}],
        "lep": [
            {"pt": 12.0, "eta": -2.0, "phi": 3.1}, {"pt": 60.0, "eta": 0.3, "phi": 3.2},
            {"pt": 40.0, "eta": 2.0, "isLooseID": False},
        ],
        "jet": [
            {"pt": 74.0, "eta": 0.5}, {"pt": 30.0, "eta": 0.95}, {"pt": 49.0, "phi": -3.1},
            {"pt": 80.0, "eta": -3.0, "btag": True}, {"pt": 90.0, "eta": 2.0, "jvt": False},
        ],
    }  # fmt: skip
    second = {"photon": back_to_back(), "jet": [{"pt": 35.0, "eta": 1.0, "btag": True}]}
    found = convert("hyy", "2024", [first, {"photon": []}, second])
    table = found.table
    assert table["event_number"].tolist() == [1, 3]
    assert table["ph1_pt"].tolist() == [75.0, 62.5]
    assert table["ph2_pt"].tolist() == [50.0, 62.5]
    assert table["ph1_isolation"].tolist() == [pytest.approx(0.04), 0.0]
    assert table["n_leptons"].tolist() == [1, 0]
    assert table["lep1_pt"].tolist()[0] == 12.0
    assert table["n_jets"].tolist() == [2, 1]  # the others lie on a photon, or are from pile-up
    assert table["jet1_pt"].tolist() == [80.0, 35.0]
    assert table["jet2_pt"].tolist()[0] == 30.0
    assert table["n_jets_central"].tolist() == [1, 1]
    assert table["n_bjets"].tolist() == [1, 1]
    assert table["ht_jets"].tolist() == [110.0, 35.0]
    assert table[["met_pt", "met_phi"]].isna().all(axis=None)


def test_hyy_2024_weight_has_the_one_scale_factor_there_is() -> None:
    simulated = {
        "photon": back_to_back(), "channelNumber": 343981, "mcWeight": -2.0,
        "ScaleFactor_PILEUP": 1.5, "xsec": 0.110277, "filteff": 0.5, "kfac": 2.0,
        "sum_of_weights": 1.0e6,
    }  # fmt: skip
    found = convert("hyy", "2024", [simulated])
    assert one(found, "weight") == -3.0
    assert one(found, "xsection") == pytest.approx(0.110277)
    assert one(found, "sum_weights") == 1.0e6


@pytest.mark.parametrize(
    ("channel", "data"),
    [("hyy", "2025"), ("hyy", "2024"), ("hyy", "2020"), ("hzz4l", "2025"), ("hzz4l", "2020")],
)
def test_no_events_give_no_rows_and_the_same_steps(channel: str, data: str) -> None:
    found = convert(channel, data, [])
    assert len(found) == 0
    assert set(counts(found)) == {0}
    some = convert(channel, data, [{"photon": back_to_back()}])
    assert [name for name, _ in found.cutflow] == [name for name, _ in some.cutflow]


@pytest.mark.parametrize(
    ("event", "survives", "kept"),
    [
        ({"photon": back_to_back()}, 4, True),
        ({"photon": back_to_back(), "trigP": False}, 0, False),
        ({"photon": back_to_back(isTightID=False)}, 1, True),
        ({"photon": [*back_to_back(), {"pt": 30.0}]}, 1, True),
        ({"photon": [*back_to_back(), {"pt": 24.0}]}, 4, True),
        ({"photon": [*back_to_back(), {"pt": 30.0, "eta": 1.4}]}, 4, True),
        ({"photon": back_to_back(ptcone30=5.0)}, 2, True),
        ({"photon": back_to_back(etcone20=5.0)}, 2, True),
        ({"photon": back_to_back(ptcone30=4.0, etcone20=4.0)}, 4, True),
        ({"photon": [{"pt": 140.0}, {"pt": 28.0, "phi": np.pi}]}, 3, False),
        ({"photon": back_to_back()[:1]}, 1, False),
    ],
)
def test_hyy_2020_cut_by_cut(event: dict[str, Any], survives: int, kept: bool) -> None:
    found = convert("hyy", "2020", [event])
    names = ["all", "trigger", "two_tight", "isolation", "pt_over_m"]
    assert [name for name, _ in found.cutflow] == names
    expected = [1] * (survives + 1) + [0] * (4 - survives)
    assert counts(found) == expected
    assert len(found) == int(kept)
    if kept:
        good = [one(found, f"ph{i}_{flag}") for i in (1, 2) for flag in ("tight", "isolated")]
        assert all(good) == (survives == 4)


def test_hyy_2020_takes_the_two_tight_photons_wherever_they_are() -> None:
    first, second = back_to_back()
    loose = {"pt": 90.0, "isTightID": False}
    found = convert("hyy", "2020", [{"photon": [loose, first, second]}])
    assert one(found, "m_yy") == pytest.approx(125.0, rel=1e-6)
    assert one(found, "ph1_tight") == np.True_


def four(**changed: Any) -> list[dict[str, Any]]:
    """e+ e- of 90 GeV mass, mu+ mu- of 30 GeV mass."""
    leptons = [
        {"pt": 45.0, "phi": 0.0, "type": 11, "charge": 1},
        {"pt": 45.0, "phi": np.pi, "type": 11, "charge": -1},
        {"pt": 15.0, "phi": np.pi / 2, "type": 13, "charge": 1},
        {"pt": 15.0, "phi": -np.pi / 2, "type": 13, "charge": -1},
    ]
    return [{**lepton, **changed} for lepton in leptons]


@pytest.mark.parametrize(
    ("event", "survives"),
    [
        ({"lep": four()}, 6),
        ({"lep": four(), "trigE": False, "trigM": False}, 0),
        ({"lep": four(), "trigE": False}, 6),
        ({"lep": four(isTrigMatched=False)}, 1),
        ({"lep": [*four()[2:], *four()[:2]]}, 2),
        ({"lep": four(isMediumID=False)}, 3),
        ({"lep": four(isLooseIso=False)}, 3),
        ({"lep": [{**four()[0], "isMediumID": False}, *four()[1:]]}, 6),
        ({"lep": [*four()[:3], {**four()[3], "type": 11}]}, 4),
        ({"lep": four(charge=1)}, 5),
    ],
)
def test_hzz4l_2025_cut_by_cut(event: dict[str, Any], survives: int) -> None:
    found = convert("hzz4l", "2025", [event])
    assert counts(found) == [1] * (survives + 1) + [0] * (6 - survives)
    assert len(found) == int(survives == 6)


def test_hzz4l_columns() -> None:
    found = convert("hzz4l", "2020", [{"lep": four(), "jet": [{"pt": 26.0}, {"pt": 24.0}]}])
    assert one(found, "m_4l") == pytest.approx(120.0, rel=1e-6)
    assert one(found, "pt_4l") == pytest.approx(0.0, abs=1e-4)
    assert one(found, "m_z1") == pytest.approx(90.0, rel=1e-6)
    assert one(found, "m_z2") == pytest.approx(30.0, rel=1e-6)
    assert one(found, "final_state") == 48
    assert one(found, "n_jets") == 1
    assert [one(found, f"lep{i}_type") for i in range(1, 5)] == [11, 11, 13, 13]


def test_hzz4l_pairs_have_one_flavour_and_opposite_charges() -> None:
    electrons = [{**lepton, "type": 11} for lepton in four()]
    found = convert("hzz4l", "2020", [{"lep": electrons}])
    masses = one(found, "m_z1"), one(found, "m_z2")
    assert masses == pytest.approx((90.0, 30.0), rel=1e-6)
    same_sign = [{**lepton, "charge": 1 if lepton["type"] == 11 else -1} for lepton in four()]
    found = convert("hzz4l", "2020", [{"lep": same_sign}])
    assert np.isnan([one(found, "m_z1"), one(found, "m_z2")]).all()


@pytest.mark.parametrize(
    ("leptons", "survives"),
    [
        (four(), 2),
        (four()[:3], 0),
        ([*four(), {"pt": 8.0}], 2),
        ([*four()[:3], {**four()[3], "type": 11}], 0),
        (four(charge=-1), 1),
    ],
)
def test_hzz4l_2020_cut_by_cut(leptons: list[dict[str, Any]], survives: int) -> None:
    found = convert("hzz4l", "2020", [{"lep": leptons}])
    assert [name for name, _ in found.cutflow] == ["all", "flavour", "charge"]
    assert counts(found) == [1] * (survives + 1) + [0] * (2 - survives)
