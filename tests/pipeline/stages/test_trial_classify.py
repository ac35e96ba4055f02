"""What classify is tried on: rows of each table, and broken scores for every finding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.files import read_table, write_table
from pipeline.stages.classify import trial
from pipeline.stages.classify.contract import CONTRACT
from pipeline.stages.classify.reference import scores
from pipeline.stages.classify.trial import TRIAL
from pipeline.stages.contract import StageContext
from pipeline.stages.trial import NoSliceError, Slice
from tests.pipeline.stages.tables import Chain, Content, diphoton, samples, settings

CONTENT = Content(tight=1_500, loose=2_500, simulated=800)
Products = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    tables = diphoton(CONTENT)
    chain = Chain.start(tmp_path_factory.mktemp("classify"), tables, settings(), samples(tables))
    chain.run("preprocess")
    return chain.context("classify")


@pytest.fixture(scope="module")
def given(context: StageContext) -> Slice:
    (only,) = TRIAL.slices(context)
    return only


@pytest.fixture(scope="module")
def product(given: Slice) -> Products:
    return CONTRACT.accept(scores(**given.arguments), given.arguments)


def findings(given: Slice, product: Products, chosen: StageContext) -> dict[str, bool]:
    return {f.name: f.passed for f in TRIAL.findings(given, product, chosen)}


def test_rows_are_spread_over_each_table(
    context: StageContext, given: Slice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given.name == "20000 rows of each table"
    rows = {n: len(given.arguments[n]) for n in ("signal", "background", "data")}
    assert min(rows.values()) >= 1_000
    monkeypatch.setattr(trial, "ROWS", 100)
    (few,) = TRIAL.slices(context)
    assert [len(few.arguments[n]) for n in rows] == [100, 100, 100]
    assert set(few.arguments["signal"]["process"]) == {"ggH", "VBF", "ZH", "ttH"}
    assert few.arguments["data"]["is_control"].nunique() == 2


def test_the_sealed_rows_are_not_given(context: StageContext) -> None:
    (sealed,) = TRIAL.slices(StageContext(context.settings, {}, context.upstream, sealed=True))
    data = sealed.arguments["data"]
    low, high = context.settings.channel.blind
    tight = data[~data["is_control"].astype(bool)]
    assert len(tight) > 500
    assert not tight["m_yy"].between(low, high, inclusive="neither").any()


def test_our_solution_passes(context: StageContext, given: Slice, product: Products) -> None:
    assert findings(given, product, context) == dict.fromkeys(BROKEN, True)


def constant(*names: str) -> Callable[[Products], Products]:
    return lambda product: {**product, **{n: product[n].assign(score=0.5) for n in names}}


def noise(product: Products) -> Products:
    draw = np.random.default_rng(3)
    return {n: t.assign(score=draw.random(len(t))) for n, t in product.items()}


def turned(product: Products) -> Products:
    return {n: t.assign(score=1 - t["score"]) for n, t in product.items()}


def by_mass(product: Products) -> Products:
    return {n: t.assign(score=np.exp(-((t["m_yy"] - 125) ** 2) / 50)) for n, t in product.items()}


BROKEN: dict[str, Callable[[Products], Products]] = {
    "signal: scores take more than one value": constant("signal"),
    "background: scores take more than one value": constant("background"),
    "data: scores take more than one value": constant("data", "control"),
    "signal scores higher than background": noise,
    "no leak: the separation is possible without the mass": by_mass,
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_finding_can_fail(
    name: str, context: StageContext, given: Slice, product: Products
) -> None:
    assert not findings(given, BROKEN[name](product), context)[name]


def test_labels_turned_round_are_said(
    context: StageContext, given: Slice, product: Products
) -> None:
    made = TRIAL.findings(given, turned(product), context)
    (wrong,) = [f for f in made if not f.passed]
    assert wrong.found.endswith("background gets the higher scores")


def test_few_rows_are_not_compared(context: StageContext, given: Slice, product: Products) -> None:
    few = {n: t[:50] for n, t in product.items()}
    assert len(findings(given, few, context)) == 3


def test_no_signal_is_an_error(tmp_path: Path, context: StageContext) -> None:
    for name in ("signal", "background", "control", "data"):
        table = read_table(context.upstream["preprocess"] / "output" / f"{name}.parquet")
        kept = table[:0] if name == "signal" else table
        write_table(tmp_path / "output" / f"{name}.parquet", kept)
    with pytest.raises(NoSliceError, match="rows of signal and of background"):
        list(TRIAL.slices(StageContext(context.settings, {}, {"preprocess": tmp_path})))
