"""What measure gets in each pass, what it accepts, and when there is nothing to measure."""

import copy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.files import read_table, write_table
from pipeline.stages.contract import ContractError
from pipeline.stages.measure.contract import CONTRACT, blocked
from tests.pipeline.stages.measure.conftest import TABLES
from tests.pipeline.stages.tables import (
    CROSS_SECTIONS,
    DATA,
    EFFICIENCY,
    LUMINOSITY,
    Chain,
    Content,
    diphoton,
    four_lepton,
    samples,
    settings,
    without,
)


@pytest.fixture(scope="module")
def plain(chain: Chain) -> dict[str, Any]:
    return CONTRACT.arguments(chain.context("measure"))


@pytest.fixture(scope="module")
def sealed(chain: Chain) -> dict[str, Any]:
    return CONTRACT.arguments(chain.context("measure", sealed=True))


def test_model_says_what_the_fit_must_know(plain: dict[str, Any], sealed: dict[str, Any]) -> None:
    model = plain["model"]
    total = sum(cross_section for _, cross_section in CROSS_SECTIONS.values())
    assert model["sm_cross_section_pb"] == pytest.approx(total)
    assert (model["fit_range"], model["signal_mass"]) == ([105.0, 160.0], 125.0)
    assert (model["luminosity_fb"], model["luminosity_uncertainty"]) == (LUMINOSITY, 0.021)
    assert model["shape_uncertainties"] == {"scale": 0.002, "resolution": 0.1}
    assert (model["background"], model["bin_width"]) == ("functions", 0.5)
    assert (model["data_kind"], sealed["model"]["data_kind"]) == ("asimov", "data")


def test_categories_add_up_to_all_events(plain: dict[str, Any], sealed: dict[str, Any]) -> None:
    tables = TABLES[DATA]
    flags = tables[["ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated"]].all(axis=1)
    in_range = tables["m_yy"].between(105, 160)
    assert sum(len(c["data"]) for c in sealed["categories"]) == int((flags & in_range).sum())
    signal = sum(c["signal"]["weight"].sum() for c in plain["categories"])
    produced = plain["model"]["sm_cross_section_pb"] * 1000 * LUMINOSITY
    assert signal == pytest.approx(produced * EFFICIENCY, rel=1e-6)
    loose = sum(len(c["background"]["mass"]) for c in plain["categories"])
    assert loose == int((~flags & in_range).sum())
    names = [f"category {k + 1}" for k in range(len(plain["categories"]))]
    assert [c["name"] for c in plain["categories"]] == names
    assert len(names) > 1


def test_sidebands_are_the_same_in_both_passes(
    plain: dict[str, Any], sealed: dict[str, Any]
) -> None:
    for a, b in zip(plain["categories"], sealed["categories"], strict=True):
        assert np.sort(a["sidebands"]).tolist() == np.sort(b["sidebands"]).tolist()
        assert not ((a["sidebands"] > 120) & (a["sidebands"] < 130)).any()


def test_asimov_data_are_what_is_expected(plain: dict[str, Any], sealed: dict[str, Any]) -> None:
    for category, real in zip(plain["categories"], sealed["categories"], strict=True):
        edges = np.array(category["data"]["bins"])
        counts = np.array(category["data"]["counts"])
        assert (edges[0], edges[-1], len(counts)) == (105.0, 160.0, 110)
        assert (counts >= 0).all()
        events = len(real["data"])
        assert counts.sum() == pytest.approx(events, abs=4 * events**0.5 + 1)
        middles = (edges[1:] + edges[:-1]) / 2
        side = (middles < 120) | (middles > 130)
        signal = category["signal"]
        leaked = signal["weight"][(signal["mass"] < 120) | (signal["mass"] > 130)].sum()
        assert counts[side].sum() == pytest.approx(len(category["sidebands"]) + leaked, rel=5e-3)


def test_unblinded_settings_give_data_in_both_passes(tmp_path: Path) -> None:
    few = diphoton(Content(tight=1_500, loose=1_500, simulated=300))
    chain = Chain.start(tmp_path, few, settings("unblind=true"))
    chain.run("preprocess", "classify", "categorize")
    passes = [CONTRACT.arguments(chain.context("measure", sealed)) for sealed in (False, True)]
    assert [a["model"]["data_kind"] for a in passes] == ["data", "data"]
    for a, b in zip(*(one["categories"] for one in passes), strict=True):
        assert (a["data"] == b["data"]).all()


def test_four_leptons_are_one_category_with_a_template(tmp_path: Path) -> None:
    chain = Chain.start(tmp_path, four_lepton(), settings(channel="hzz4l"))
    chain.run("preprocess")
    arguments = CONTRACT.arguments(chain.context("measure", sealed=True))
    (category,) = arguments["categories"]
    assert category["name"] == "inclusive"
    assert (arguments["model"]["background"], arguments["model"]["bin_width"]) == ("template", 2.5)
    assert category["background"]["weight"].sum() == pytest.approx(24.5, abs=2.0)
    assert ((category["data"] >= 105) & (category["data"] <= 160)).all()
    asimov = CONTRACT.arguments(chain.context("measure"))["categories"][0]["data"]
    assert sum(asimov["counts"]) == pytest.approx(12.0 + 24.5, abs=2.0)


def answer(arguments: dict[str, Any]) -> dict[str, Any]:
    """A measurement of the right form, as plain as possible."""
    category = {
        "function": "exponential",
        "candidates": [],
        "parameters": {"a1": np.float64(-1.0)},
        "signal_yield": 1.0,
        "background_yield": 2.0,
        "spurious_signal": 0.0,
        "signal_shape": {"mean": 125.0},
        "purity_weight": 0.1,
        "chi2": 1.0,
        "ndf": np.int64(2),
        "curve": {
            "mass": np.array([105.0, 160.0]),
            "background": [1.0, 1.0],
            "total": (1.0, 1.0),
        },
    }
    return {
        "mu": np.float64(1.0),
        "mu_err": (-0.1, 0.1),
        "mu_interval_95": [0.8, 1.2],
        "significance": {"expected": 3.0, "observed": 3},
        "cross_section_pb": 0.1,
        "cross_section_err_pb": {"stat": [-0.1, 0.1], "syst": [0.0, 0.1], "lumi": 0.01},
        "nuisances": [{"name": "scale", "value": 0.1, "error": 0.9, "pull": 0.1}],
        "correlation": {"names": ["mu"], "matrix": np.ones((1, 1))},
        "profile": {"mu": [1.0, 2.0], "two_delta_nll": [0, 1], "two_delta_nll_stat": [0, 2]},
        "categories": [{"name": c["name"], **category} for c in arguments["categories"]],
        "minimiser": {"valid": np.bool_(True), "edm": 1e-6, "n_calls": 10},
    }


def test_plain_numbers_are_kept(plain: dict[str, Any], tmp_path: Path) -> None:
    product = CONTRACT.accept(answer(plain), plain)
    assert product["categories"][0]["curve"]["mass"] == [105.0, 160.0]
    assert type(product["mu"]) is float
    CONTRACT.write(product, tmp_path)
    assert CONTRACT.read(tmp_path) == product


SPOILED = {
    r"at \$, found: 'mu' is a required": lambda m: m.pop("mu"),
    r"at \$\.mu, found: '1' is not of type 'number'": lambda m: m.update(mu="1"),
    r"at \$\.mu_err\[0\], found: 0.1 is greater": lambda m: m.update(mu_err=[0.1, 0.1]),
    "finite number at measurement.mu_interval_95": lambda m: m.update(mu_interval_95=[np.nan, 1]),
    r"expected mu inside its 95 % interval, found 1\.0": lambda m: m.update(mu_interval_95=[2, 3]),
    r"expected lists of one length at profile, found \[2, 2, 1\]": lambda m: m["profile"].update(
        two_delta_nll_stat=[0]
    ),
    "one length at correlation.matrix": lambda m: m["correlation"].update(names=["mu", "a"]),
    r"one length at categories\[0\].curve": lambda m: m["categories"][0]["curve"].update(total=[]),
    "expected the categories": lambda m: m["categories"].pop(),
    r"at \$\.categories\[0\], found: 'chi2' is": lambda m: m["categories"][0].pop("chi2"),
    r"at \$, found: None is not of type 'object'": None,
}


@pytest.mark.parametrize("message", SPOILED)
def test_says_what_is_wrong(plain: dict[str, Any], message: str) -> None:
    measurement: Any = copy.deepcopy(answer(plain))
    spoil = SPOILED[message]
    if spoil is None:
        measurement = None
    else:
        spoil(measurement)
    with pytest.raises(ContractError, match=message):
        CONTRACT.accept(measurement, plain)


def test_nothing_blocks_a_complete_set(chain: Chain) -> None:
    assert blocked(chain.context("measure")) is None
    assert blocked(chain.context("measure", sealed=True)) is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("346525", "not every simulated signal sample is complete: ttH (346525): a file is lost"),
        (DATA, "the data are not complete, so that their luminosity is not that of the settings"),
    ],
)
def test_blocked_by_an_incomplete_sample(tmp_path: Path, name: str, sentence: str) -> None:
    facts = without(samples(TABLES), [name], "a file is lost")
    chain = Chain.start(tmp_path, TABLES, settings(), facts)
    chain.run("preprocess")
    reason = blocked(chain.context("measure"))
    assert reason is not None
    assert reason.startswith(sentence)


def test_data_alone_say_why_there_is_no_measurement(tmp_path: Path) -> None:
    chain = Chain.start(tmp_path, {DATA: four_lepton()[DATA]}, settings(channel="hzz4l"))
    chain.run("preprocess")
    assert blocked(chain.context("measure")) == (
        "no simulated signal sample is complete: there is none"
    )


def test_blocked_without_expected_signal(tmp_path: Path) -> None:
    tables = four_lepton()
    tables["345060"] = tables["345060"].assign(m_4l=85.0)
    chain = Chain.start(tmp_path, tables, settings(channel="hzz4l"))
    chain.run("preprocess")
    reason = blocked(chain.context("measure"))
    assert reason is not None
    assert "adds up to 0 events in the fit range" in reason


def test_no_data_events_block_a_fitted_background(chain: Chain, tmp_path: Path) -> None:
    copied = Chain(tmp_path / "copy", chain.settings, chain.fileset)
    shutil.copytree(chain.folder, copied.folder)
    path = copied.folder / "classify" / "output" / "data.parquet"
    write_table(path, read_table(path).iloc[:0])
    assert blocked(copied.context("measure")) == (
        "no data event in the sidebands; the background cannot be fitted"
    )


def test_no_data_events_do_not_block_a_template(tmp_path: Path) -> None:
    tables = four_lepton()
    tables[DATA] = tables[DATA].iloc[:0]
    chain = Chain.start(tmp_path, tables, settings(channel="hzz4l"))
    chain.run("preprocess")
    assert blocked(chain.context("measure")) is None
    found = chain.product("measure", sealed=True)
    assert found["mu"] < 0.1
    assert found["significance"]["observed"] == 0.0
