"""Our preprocess: weights, regions, blinding, and independence of the order of rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.physics.regions import ScaleFactors
from pipeline.physics.weights import NormalisationError
from pipeline.stages.preprocess.contract import CONTRACT
from pipeline.stages.preprocess.reference import preprocess
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
    shuffled,
    without,
)

TABLES = diphoton(Content(tight=3_000, loose=4_000, simulated=500))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return Chain.start(tmp_path_factory.mktemp("chain"), TABLES, settings())


@pytest.fixture(scope="module")
def product(chain: Chain) -> dict[str, Any]:
    return chain.product("preprocess")


@pytest.fixture(scope="module")
def sealed(chain: Chain) -> dict[str, Any]:
    return chain.product("preprocess", sealed=True)


def test_signal_is_normalised_to_the_events_expected(product: dict[str, Any]) -> None:
    signal = product["signal"]
    for process, cross_section in CROSS_SECTIONS.values():
        rows = signal[signal["process"] == process]
        assert rows["weight"].sum() == pytest.approx(cross_section * 1000 * LUMINOSITY * EFFICIENCY)
        assert (rows["weight"] < 0).sum() == pytest.approx(0.05 * len(rows), abs=12)


def test_data_have_weight_one_and_are_blinded(
    product: dict[str, Any], sealed: dict[str, Any]
) -> None:
    data = product["data"]
    assert (data["weight"] == 1).all()
    assert not ((data["m_yy"] > 120) & (data["m_yy"] < 130)).any()
    assert data["ph1_tight"].all()
    opened = sealed["data"]
    hidden = (opened["m_yy"] > 120) & (opened["m_yy"] < 130)
    assert hidden.sum() > 500
    pd.testing.assert_frame_equal(opened[~hidden].reset_index(drop=True), data)


def test_background_follows_the_scale_factors(
    product: dict[str, Any], sealed: dict[str, Any]
) -> None:
    raw = TABLES[DATA]
    tight = raw[["ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated"]].all(axis=1)
    sideband = raw["m_yy"].between(105, 120) | raw["m_yy"].between(130, 160)
    window = raw["m_yy"].between(123, 127)
    factors = ScaleFactors(
        int((tight & sideband).sum()), int((~tight & sideband).sum()), int((~tight & window).sum())
    )
    background, control = product["background"], product["control"]
    assert len(background) == factors.n_nti_sideband
    assert background["weight"].sum() == pytest.approx(factors.expected_in_window)
    assert background["control_weight"].sum() == pytest.approx(factors.n_ti_sideband)
    assert set(control["weight"]) == set(control["control_weight"]) == {factors.sf1}
    assert control["m_yy"].between(120, 130, inclusive="neither").all()
    for name in ("background", "control", "signal"):
        pd.testing.assert_frame_equal(product[name], sealed[name])


def test_regions_are_disjoint_and_complete(sealed: dict[str, Any]) -> None:
    numbers = [set(sealed[name]["event_number"]) for name in ("background", "control", "data")]
    in_range = TABLES[DATA]["m_yy"].between(105, 160)
    assert sum(map(len, numbers)) == len(set.union(*numbers)) == int(in_range.sum())


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2**32 - 1))
def test_order_of_rows_does_not_matter(chain: Chain, product: dict[str, Any], seed: int) -> None:
    arguments = CONTRACT.arguments(chain.context("preprocess"))
    mixed = {"tables": shuffled(arguments["tables"], seed), "info": arguments["info"]}
    again = CONTRACT.accept(preprocess(**mixed), mixed)
    for name in ("signal", "background", "control", "data"):
        pd.testing.assert_frame_equal(again[name], product[name])


def test_sample_that_cannot_be_normalised_is_left_out(tmp_path: Path) -> None:
    facts = without(samples(TABLES), ["343981"], "1 of 2 files is missing")
    product = Chain.start(tmp_path, TABLES, settings(), facts).product("preprocess")
    assert set(product["signal"]["sample"]) == set(CROSS_SECTIONS) - {"343981"}


def test_data_alone_give_empty_tables_with_their_columns(tmp_path: Path) -> None:
    chain = Chain.start(tmp_path, {DATA: TABLES[DATA]}, settings())
    product = chain.product("preprocess")
    assert len(product["signal"]) == 0
    assert {"m_yy", "pt_yy", "weight", "process", "sample"} <= set(product["signal"].columns)
    assert product["signal"]["weight"].dtype == np.float64
    assert len(product["background"]) > 1000


def test_simulation_alone_gives_empty_data(tmp_path: Path) -> None:
    tables = {name: table for name, table in TABLES.items() if name != DATA}
    product = Chain.start(tmp_path, tables, settings()).product("preprocess")
    assert len(product["data"]) == len(product["background"]) == 0
    assert "control_weight" in product["background"].columns
    assert len(product["signal"]) == 2000


def test_file_of_another_version_is_refused(chain: Chain) -> None:
    arguments = CONTRACT.arguments(chain.context("preprocess"))
    arguments["tables"]["346214"]["sum_weights"] *= 1.01
    with pytest.raises(NormalisationError, match="sample '346214', found"):
        preprocess(**arguments)


def test_events_without_a_mass_are_in_no_table(tmp_path: Path) -> None:
    tables = {name: table.copy() for name, table in TABLES.items()}
    tables[DATA].loc[:99, "m_yy"] = np.nan
    product = Chain.start(tmp_path, tables, settings()).product("preprocess", sealed=True)
    lost = set(tables[DATA]["event_number"][:100])
    for name in ("background", "control", "data"):
        assert not lost & set(product[name]["event_number"])


def test_four_leptons(tmp_path: Path) -> None:
    chain = Chain.start(tmp_path, four_lepton(), settings(channel="hzz4l"))
    product = chain.product("preprocess")
    assert product["signal"]["weight"].sum() == pytest.approx(12.0)
    assert product["background"]["weight"].sum() == pytest.approx(60.0)
    assert (product["background"]["control_weight"] == product["background"]["weight"]).all()
    assert len(product["control"]) == 0
    assert "control_weight" in product["control"].columns
    mass = product["data"]["m_4l"]
    assert mass.between(80, 170).all()
    assert (mass < 105).any()
    assert set(product["background"]["process"]) == {"ZZ"}
