"""Our measurement, from tables to mu: what is put in comes out, with errors that mean something."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.stages.measure.contract import CONTRACT
from pipeline.stages.measure.reference import measure, prepare
from tests.pipeline.stages.tables import (
    Chain,
    falling,
    four_lepton,
    settings,
)


@pytest.fixture(scope="module")
def asimov(chain: Chain) -> dict[str, Any]:
    return chain.product("measure")


@pytest.fixture(scope="module")
def found(chain: Chain) -> dict[str, Any]:
    return chain.product("measure", sealed=True)


def test_asimov_pass_gives_back_one(asimov: dict[str, Any]) -> None:
    assert asimov["mu"] == pytest.approx(1.0, abs=0.01)
    significance = asimov["significance"]
    assert significance["observed"] == pytest.approx(significance["expected"], rel=0.01)
    assert all(abs(n["pull"]) < 0.2 for n in asimov["nuisances"])


def test_injected_signal_comes_back(found: dict[str, Any]) -> None:
    low, high = found["mu_err"]
    assert low < 0 < high
    assert abs(found["mu"] - 1.0) < 2.5 * max(-low, high)
    assert found["mu_interval_95"][0] < 1.0 < found["mu_interval_95"][1]
    assert found["minimiser"]["valid"]
    assert found["significance"]["observed"] > 5


def test_cross_section_is_mu_times_the_expected_one(found: dict[str, Any], chain: Chain) -> None:
    model = CONTRACT.arguments(chain.context("measure"))["model"]
    expected = model["sm_cross_section_pb"]
    assert found["cross_section_pb"] == pytest.approx(found["mu"] * expected, rel=1e-12)
    parts = found["cross_section_err_pb"]
    for side in (0, 1):
        total = np.sqrt(parts["stat"][side] ** 2 + parts["syst"][side] ** 2 + parts["lumi"] ** 2)
        assert total == pytest.approx(abs(found["mu_err"][side]) * expected, rel=0.01)
    assert parts["lumi"] == pytest.approx(0.021 * found["cross_section_pb"], rel=0.2)


def test_both_passes_choose_the_same_functions(
    asimov: dict[str, Any], found: dict[str, Any]
) -> None:
    functions = [[c["function"] for c in one["categories"]] for one in (asimov, found)]
    assert functions[0] == functions[1]
    for category in found["categories"]:
        chosen = next(c for c in category["candidates"] if c["function"] == category["function"])
        assert chosen["chi2_probability"] > 0.01
        assert len(category["parameters"]) == chosen["n_parameters"]
        assert category["ndf"] > 0
        assert category["chi2"] < 3 * category["ndf"]


def test_curves_integrate_to_the_yields(found: dict[str, Any]) -> None:
    for category in found["categories"]:
        curve = {key: np.array(value) for key, value in category["curve"].items()}
        background = np.trapezoid(curve["background"], curve["mass"])
        assert background == pytest.approx(category["background_yield"], rel=1e-3)
        signal = np.trapezoid(curve["total"], curve["mass"]) - background
        assert signal == pytest.approx(found["mu"] * category["signal_yield"], rel=0.35)
        peak = curve["mass"][(curve["total"] - curve["background"]).argmax()]
        assert peak == pytest.approx(125.0, abs=0.5)
    purities = [category["purity_weight"] for category in found["categories"]]
    assert purities == sorted(purities)


def test_profile_has_its_minimum_at_mu_and_statistics_only_is_narrower(
    found: dict[str, Any],
) -> None:
    scan = {key: np.array(value) for key, value in found["profile"].items()}
    assert scan["mu"][scan["two_delta_nll"].argmin()] == pytest.approx(found["mu"])
    assert (scan["two_delta_nll_stat"] >= scan["two_delta_nll"] - 1e-3).all()
    for end in found["mu_interval_95"]:
        assert np.interp(end, scan["mu"], scan["two_delta_nll"]) == pytest.approx(3.84, rel=0.05)


def test_correlations_are_correlations(found: dict[str, Any]) -> None:
    matrix = np.array(found["correlation"]["matrix"])
    assert np.diag(matrix) == pytest.approx(np.ones(len(matrix)))
    assert np.abs(matrix).max() <= 1 + 1e-9
    assert found["correlation"]["names"][0] == "mu"


def test_same_input_same_bits_and_order_of_events_does_not_matter(
    chain: Chain, found: dict[str, Any]
) -> None:
    arguments = CONTRACT.arguments(chain.context("measure", sealed=True))
    assert CONTRACT.accept(measure(**arguments), arguments) == found
    for category in arguments["categories"]:
        category["data"] = category["data"][::-1].copy()
        category["sidebands"] = category["sidebands"][::-1].copy()
    assert CONTRACT.accept(measure(**arguments), arguments) == found


@pytest.mark.parametrize("mu", [0.0, 2.0, 5.0])
def test_closure(chain: Chain, mu: float) -> None:
    """Asimov data with another signal strength give it back."""
    arguments = CONTRACT.arguments(chain.context("measure"))
    for category in arguments["categories"]:
        edges = np.array(category["data"]["bins"])
        signal = np.histogram(
            category["signal"]["mass"], edges, weights=category["signal"]["weight"]
        )
        counts = np.array(category["data"]["counts"]) + (mu - 1) * np.maximum(signal[0], 0.0)
        category["data"] = {"bins": edges, "counts": counts}
    assert measure(**arguments)["mu"] == pytest.approx(mu, abs=0.03)


def test_four_leptons(tmp_path: Path) -> None:
    chain = Chain.start(tmp_path, four_lepton(), settings(channel="hzz4l"))
    chain.run("preprocess")
    expected, observed = (chain.product("measure", sealed) for sealed in (False, True))
    assert expected["mu"] == pytest.approx(1.0, abs=0.01)
    assert expected["significance"]["expected"] == pytest.approx(4.7, abs=0.5)
    assert -0.4 < expected["mu_err"][0] < -0.2
    assert observed["categories"][0]["function"] == "template"
    assert observed["categories"][0]["candidates"] == []
    assert {n["name"] for n in observed["nuisances"]} == {
        "luminosity", "scale", "resolution", "background", "mc:inclusive",
    }  # fmt: skip
    assert abs(observed["mu"] - 1.0) < 2.5 * observed["mu_err"][1]


MODEL = {
    "channel": "hyy",
    "observable": "m_yy",
    "fit_range": [105.0, 160.0],
    "sidebands": [[105.0, 120.0], [130.0, 160.0]],
    "signal_window": [123.0, 127.0],
    "blind": [120.0, 130.0],
    "bin_width": 0.5,
    "signal_mass": 125.0,
    "luminosity_fb": 36.1,
    "luminosity_uncertainty": 0.021,
    "sm_cross_section_pb": 0.12,
    "shape_uncertainties": {"scale": 0.002, "resolution": 0.1},
    "background": "functions",
    "background_uncertainty": 0.1,
    "data_kind": "data",
    "seed": 1,
}


def category(
    name: str, data: int, signal: float, loose: int = 500, seed: int = 0
) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    rows = 400 if signal else 0
    return {
        "name": name,
        "data": falling(rng, data),
        "signal": {"mass": rng.normal(125, 1.6, rows), "weight": np.full(rows, signal / 400)},
        "background": {"mass": falling(rng, loose), "weight": np.full(loose, 1.0)},
    }


@pytest.mark.parametrize(
    "odd",
    [
        category("odd", data=0, signal=2.0),
        category("odd", data=50, signal=0.0),
        category("odd", data=0, signal=0.0, loose=0),
        category("odd", data=3, signal=1.0, loose=0),
        {
            **category("odd", data=0, signal=1.0),
            "data": np.array([np.nan, 90.0, 125.0, 200.0, 110.0]),
        },
    ],
    ids=["no data", "no signal", "nothing", "three events", "odd masses"],
)
def test_odd_categories_do_no_harm(odd: dict[str, Any]) -> None:
    good = category("good", data=5_000, signal=100.0, loose=5_000, seed=1)
    found = measure([good, odd], MODEL)
    alone = measure([good], MODEL)
    assert found["minimiser"]["valid"]
    CONTRACT.accept(found, {"categories": [good, odd]})
    assert abs(found["mu"] - alone["mu"]) < 1.5 * alone["mu_err"][1]


def test_masses_outside_the_range_do_not_count() -> None:
    good = category("good", data=2_000, signal=60.0)
    more = {**good, "data": np.concatenate([good["data"], [np.nan, 50.0, 104.9, 160.1]])}
    assert measure([more], MODEL) == measure([good], MODEL)


def test_no_signal_anywhere_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected signal in one category or more"):
        prepare([category("a", data=50, signal=0.0)], MODEL)


def test_negative_mu_is_allowed() -> None:
    dip = category("dip", data=20_000, signal=150.0, loose=20_000, seed=2)
    inside = np.abs(dip["data"] - 125) < 2
    kept = ~inside | (np.random.default_rng(1).random(20_000) < 0.9)
    dip["data"] = dip["data"][kept]
    found = measure([dip], MODEL)
    assert found["mu"] < -0.5
    assert found["significance"]["observed"] == 0.0
    assert found["cross_section_pb"] < 0
