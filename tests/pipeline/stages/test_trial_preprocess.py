"""What preprocess is tried on: parts of converted tables, and a broken product per finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.stages.contract import StageContext
from pipeline.stages.preprocess.contract import CONTRACT
from pipeline.stages.preprocess.reference import preprocess
from pipeline.stages.preprocess.trial import TRIAL
from pipeline.stages.trial import NoSliceError, Slice
from tests.pipeline.stages.tables import (
    DATA,
    Chain,
    Content,
    diphoton,
    four_lepton,
    samples,
    settings,
    without,
)

CONTENT = Content(tight=1_500, loose=1_500, simulated=2_100)
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Tried:
    """A context, its slices, and what our solution makes of them."""

    context: StageContext
    slices: list[Slice]
    products: list[dict[str, Any]]

    @classmethod
    def on(cls, context: StageContext) -> Tried:
        slices = list(TRIAL.slices(context))
        return cls(context, slices, [ours(given) for given in slices])

    def failed(self, spoil: Callable[[Tables], None], place: int = 0) -> set[str]:
        """Names of the findings that a product fails after `spoil` changed its tables."""
        product = dict(self.products[place])
        tables = {n: product[n].copy() for n in ("signal", "background", "control", "data")}
        spoil(tables)
        findings = TRIAL.findings(self.slices[place], {**product, **tables}, self.context)
        return {f.name for f in findings if not f.passed}

    def names(self) -> set[str]:
        pairs = zip(self.slices, self.products, strict=True)
        return {f.name for given, product in pairs
                for f in TRIAL.findings(given, product, self.context)}  # fmt: skip


def ours(given: Slice) -> dict[str, Any]:
    arguments = given.arguments
    tables = {n: t.copy() for n, t in arguments["tables"].items()}
    return CONTRACT.accept(preprocess(tables, arguments["info"]), arguments)


@pytest.fixture(scope="module")
def hyy(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    tables = diphoton(CONTENT)
    chain = Chain.start(tmp_path_factory.mktemp("hyy"), tables, settings(), samples(tables))
    return Tried.on(chain.context("preprocess"))


@pytest.fixture(scope="module")
def hzz4l(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    tables = four_lepton(simulated=2_100)
    chosen = settings(channel="hzz4l")
    chain = Chain.start(tmp_path_factory.mktemp("hzz4l"), tables, chosen, samples(tables))
    return Tried.on(chain.context("preprocess"))


def test_slices_are_the_first_rows_and_fewer(hyy: Tried) -> None:
    names = ["first 30000 rows of each sample", "first 1000 rows of each sample, none of 343981"]
    assert [s.name for s in hyy.slices] == names
    rows = {n: len(t) for n, t in hyy.slices[1].arguments["tables"].items()}
    assert rows == {"343981": 0, "346214": 1_000, "345319": 1_000, "346525": 1_000, DATA: 1_000}


def test_sealed_rows_are_never_given(tmp_path: Path) -> None:
    tables = diphoton(CONTENT)
    chain = Chain.start(tmp_path, tables, settings(), samples(tables))
    (given, _) = TRIAL.slices(chain.context("preprocess", sealed=True))
    table = given.arguments["tables"][DATA]
    flags = [c for c in table if str(c).endswith(("_tight", "_isolated"))]
    inside = table["m_yy"].between(120, 130, inclusive="neither")
    assert len(table) > 1_000
    assert not (table[flags].all(axis=1) & inside).any()


def test_our_solution_passes(hyy: Tried, hzz4l: Tried) -> None:
    for tried in (hyy, hzz4l):
        for given, product in zip(tried.slices, tried.products, strict=True):
            findings = TRIAL.findings(given, product, tried.context)
            assert [f for f in findings if not f.passed] == []


def test_data_alone_are_enough(tmp_path: Path) -> None:
    table = diphoton(CONTENT)[DATA]
    chain = Chain.start(tmp_path, {DATA: table}, settings(), samples({DATA: table}))
    tried = Tried.on(chain.context("preprocess"))
    assert [s.name for s in tried.slices] == ["first 30000 rows of each sample"]
    assert tried.failed(lambda tables: None) == set()
    empty = Chain.start(tmp_path / "e", {DATA: table[:0]}, settings(), samples({DATA: table}))
    with pytest.raises(NoSliceError, match="a converted event"):
        list(TRIAL.slices(empty.context("preprocess")))


def drop(column: str) -> Callable[[Tables], None]:
    def spoil(tables: Tables) -> None:
        tables["data"] = tables["data"].drop(columns=column)

    return spoil


def set_to(table: str, column: str, change: Callable[[pd.Series], Any]) -> Callable[[Tables], None]:
    def spoil(tables: Tables) -> None:
        tables[table][column] = change(tables[table][column])

    return spoil


def twice(tables: Tables) -> None:
    tables["data"] = pd.concat([tables["data"], tables["data"][:1]], ignore_index=True)


def move(source: str, target: str) -> Callable[[Tables], None]:
    """Rows of one table, put into another as well."""

    def spoil(tables: Tables) -> None:
        extra = tables[source][:3].reindex(columns=tables[target].columns)
        filled = {c: 1.0 for c in ("weight", "control_weight") if c in extra}
        tables[target] = pd.concat([tables[target], extra.assign(**filled)], ignore_index=True)

    return spoil


def empty(table: str) -> Callable[[Tables], None]:
    def spoil(tables: Tables) -> None:
        tables[table] = tables[table][:0]

    return spoil


def unsigned(tables: Tables) -> None:
    tables["signal"]["weight"] = tables["signal"]["weight"].abs()


BROKEN = {
    "columns of the input are kept, also in a table without rows": drop("ph1_tight"),
    "regions are disjoint": move("data", "background"),
    "every row is a row of the input, once": twice,
    "values are those of the input": set_to("signal", "met_pt", lambda c: c * 1000),
    "process is that of the sample": set_to("signal", "process", lambda c: "signal"),
    "tables hold samples of their role that can be normalised": move("signal", "data"),
    "signal: rows are in their region": set_to("signal", "m_yy", lambda c: c - 30),
    "background: rows are in their region": move("control", "background"),
    "control: rows are in their region": move("background", "control"),
    "data: rows are in their region": set_to("data", "ph1_tight", lambda c: ~c),
    "signal: rows of many events are not empty": empty("signal"),
    "background: rows of many events are not empty": empty("background"),
    "data: rows of many events are not empty": empty("data"),
    "signal: not all weights zero": set_to("signal", "weight", lambda c: 0 * c),
    "signal: weights keep their sign": unsigned,
    "signal: sum of weights per sample": set_to("signal", "weight", lambda c: c / 1000),
    "data: not all weights zero": set_to("data", "weight", lambda c: 0 * c),
    "data: weight of an event is 1": set_to("data", "weight", lambda c: c * 1.1),
    "background: weight is SF1 · SF2": set_to("background", "weight", lambda c: c * 1.01),
    "background: control_weight is SF1": set_to("background", "control_weight", lambda c: c / 2),
    "control: weight is SF1": set_to("control", "weight", lambda c: c + 1),
    "control: control_weight is SF1": set_to("control", "control_weight", lambda c: c + 1),
}
OF_FOUR_LEPTONS = {
    "background: rows of many events are not empty": empty("background"),
    "background: not all weights zero": set_to("background", "weight", lambda c: 0 * c),
    "background: weights keep their sign": set_to("background", "weight", np.abs),
    "background: sum of weights per sample": set_to("background", "weight", lambda c: c * 2),
    "background: control_weight equals weight": set_to(
        "background", "control_weight", lambda c: c * 1.01
    ),
    "signal: rows are in their region": set_to("signal", "m_4l", lambda c: c + 60),
    "data: rows are in their region": set_to("data", "m_4l", lambda c: c + 100),
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_finding_can_fail(name: str, hyy: Tried) -> None:
    assert name in hyy.failed(BROKEN[name])


@pytest.mark.parametrize("name", OF_FOUR_LEPTONS)
def test_and_those_of_four_leptons(name: str, hzz4l: Tried) -> None:
    assert name in hzz4l.failed(OF_FOUR_LEPTONS[name])


def test_every_finding_is_broken_here(hyy: Tried, hzz4l: Tried) -> None:
    assert hyy.names() == set(BROKEN)
    assert hzz4l.names() <= set(BROKEN) | set(OF_FOUR_LEPTONS)


def test_a_sample_that_cannot_be_normalised_stays_out(tmp_path: Path) -> None:
    tables = diphoton(CONTENT)
    facts = without(samples(tables), ["346525"], "a file is missing")
    chain = Chain.start(tmp_path, tables, settings(), facts)
    tried = Tried.on(chain.context("preprocess"))
    assert tried.failed(lambda tables: None) == set()

    def keep(made: Tables) -> None:
        rows = tried.slices[0].arguments["tables"]["346525"][:5]
        extra = rows.assign(process="ttH", sample="346525")
        made["signal"] = pd.concat([made["signal"], extra], ignore_index=True)

    assert "tables hold samples of their role that can be normalised" in tried.failed(keep)


def test_a_column_of_texts_is_said_and_nothing_else(hyy: Tried) -> None:
    only = hyy.failed(set_to("signal", "n_bjets", lambda c: "many"))
    assert only == {"columns of the input are kept, also in a table without rows"}
