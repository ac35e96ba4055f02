"""What measure is tried on: Asimov data and pseudo-data, and a broken result for every finding."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.stages.contract import StageContext
from pipeline.stages.measure.contract import CONTRACT
from pipeline.stages.measure.reference import measure
from pipeline.stages.measure.trial import INJECTED, TRIAL, _pull
from pipeline.stages.trial import NoSliceError, Slice
from tests.pipeline.stages.tables import (
    DATA,
    Chain,
    Content,
    diphoton,
    four_lepton,
    samples,
    settings,
)

Product = dict[str, Any]


@dataclass(frozen=True)
class Tried:
    """A context, its slices, and what our solution measures on them."""

    context: StageContext
    slices: list[Slice]
    products: list[Product]

    @classmethod
    def on(cls, context: StageContext) -> Tried:
        slices = list(TRIAL.slices(context))
        made = [CONTRACT.accept(measure(**s.arguments), s.arguments) for s in slices]
        return cls(context, slices, made)

    def findings(self, place: int, product: Product | None = None) -> dict[str, bool]:
        found = TRIAL.findings(self.slices[place], product or self.products[place], self.context)
        return {f.name: f.passed for f in found}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    tables = four_lepton()
    chosen = settings(channel="hzz4l")
    made = Chain.start(tmp_path_factory.mktemp("hzz4l"), tables, chosen, samples(tables))
    made.run("preprocess")
    return made


@pytest.fixture(scope="module")
def tried(chain: Chain) -> Tried:
    return Tried.on(chain.context("measure"))


def test_asimov_data_and_pseudo_data(tried: Tried) -> None:
    assert [s.name for s in tried.slices] == [
        "Asimov data, mu of 1", "pseudo-data, injected mu of 2",
    ]  # fmt: skip
    first, second = (s.arguments for s in tried.slices)
    assert (first["model"]["data_kind"], second["model"]["data_kind"]) == ("asimov", "data")
    (asimov,), (pseudo,) = first["categories"], second["categories"]
    signal = float(asimov["signal"]["weight"].sum())
    more = len(pseudo["data"]) - sum(asimov["data"]["counts"])
    assert more == pytest.approx(signal, abs=3 * np.sqrt(len(pseudo["data"])))
    assert pseudo["data"].dtype == np.float64
    assert [*pseudo["sidebands"]] == [*asimov["sidebands"]]


def test_the_same_pseudo_data_every_time(tried: Tried) -> None:
    again = list(TRIAL.slices(tried.context))[1].arguments["categories"]
    first = tried.slices[1].arguments["categories"]
    assert [c["data"].tolist() for c in again] == [c["data"].tolist() for c in first]


def test_real_data_are_never_given(chain: Chain, tried: Tried) -> None:
    """Neither in the sealed pass nor where the run is unblinded."""
    open_run = replace(
        chain.context("measure", sealed=True), settings=replace(chain.settings, unblind=True)
    )
    for given, before in zip(TRIAL.slices(open_run), tried.slices, strict=True):
        assert given.name == before.name
        assert given.arguments["model"] == before.arguments["model"]
    sealed = CONTRACT.arguments(chain.context("measure", sealed=True))["categories"][0]["data"]
    assert not set(sealed) & set(tried.slices[1].arguments["categories"][0]["data"])


def test_our_solution_passes(tried: Tried) -> None:
    for place in (0, 1):
        assert tried.findings(place) == dict.fromkeys(tried.findings(place), True)


def test_our_solution_passes_with_functions(tmp_path: Path) -> None:
    tables = diphoton(Content(tight=20_000, loose=20_000, simulated=1_500))
    made = Chain.start(tmp_path, tables, settings(), samples(tables))
    made.run("preprocess")
    context = made.context("measure")
    inclusive = replace(context, upstream={"preprocess": context.upstream["preprocess"]})
    both = Tried.on(inclusive)
    for place in (0, 1):
        assert both.findings(place) == dict.fromkeys(both.findings(place), True)
    assert both.products[1]["mu"] == pytest.approx(INJECTED, abs=1.0)


def test_pull_is_that_of_a_counting() -> None:
    edges, background, signal = np.array([0.0, 1.0]), np.array([80.0]), np.array([10.0])
    assert _pull([np.array([110.0])], [(edges, background, signal)]) == pytest.approx(1.0)
    assert _pull([np.array([100.0])], [(edges, background, signal)]) == 0.0
    assert _pull([np.array([3.0])], [(edges, background, 0 * signal)]) == 0.0


def changed(**members: Any) -> Callable[[Product], None]:
    return lambda product: product.update(members)


def moved(by: float) -> Callable[[Product], None]:
    """All that belongs to mu, moved with it: consistent, and wrong."""

    def spoil(product: Product) -> None:
        product["cross_section_pb"] *= (product["mu"] + by) / product["mu"]
        product["mu"] += by
        product["mu_interval_95"] = [end + by for end in product["mu_interval_95"]]
        product["profile"]["mu"] = [mu + by for mu in product["profile"]["mu"]]

    return spoil


def wide(product: Product) -> None:
    product["mu_err"] = [5 * e for e in product["mu_err"]]


def narrow(product: Product) -> None:
    product["mu_interval_95"] = [product["mu"] + e for e in product["mu_err"]]


def statistical(product: Product) -> None:
    errors = product["cross_section_err_pb"]
    errors["stat"] = [2 * e for e in errors["stat"]]


def off_centre(product: Product) -> None:
    product["profile"]["mu"] = [mu + 1 for mu in product["profile"]["mu"]]


def covariance(product: Product) -> None:
    rows = product["correlation"]["matrix"]
    product["correlation"]["matrix"] = [[0.04 * each for each in row] for row in rows]


def negative(product: Product) -> None:
    curve = product["categories"][0]["curve"]
    curve["background"] = [each - 5 for each in curve["background"]]


def per_bin(product: Product) -> None:
    curve = product["categories"][0]["curve"]
    curve["total"] = [2.5 * each for each in curve["total"]]


BROKEN: dict[str, tuple[int, Callable[[Product], None]]] = {
    "the minimum is valid": (1, changed(minimiser={"valid": False, "edm": 1.0, "n_calls": 3})),
    "intervals contain mu and each other": (0, wide),
    "width of the 95 % interval": (1, narrow),
    "cross-section is mu times the Standard Model's": (0, changed(cross_section_pb=1.0)),
    "errors are positive, and the statistical one is a part": (0, statistical),
    "an injected mu of 1 comes back": (0, moved(0.4)),
    "an injected mu of 2 comes back": (1, moved(3.0)),
    "the error of mu is possible": (0, changed(mu_err=[-0.01, 0.01])),
    "Asimov data: observed and expected significance agree": (
        0, changed(significance={"expected": 3.0, "observed": 1.0})
    ),
    "the profile has its minimum at mu": (0, off_centre),
    "correlations are correlations": (1, covariance),
    "fitted curves are not negative": (0, negative),
    "fitted curves integrate to the events": (0, per_bin),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_every_finding_can_fail(name: str, tried: Tried) -> None:
    place, spoil = BROKEN[name]
    product = copy.deepcopy(tried.products[place])
    spoil(product)
    assert not tried.findings(place, product)[name]


def test_every_finding_is_broken_here(tried: Tried) -> None:
    assert {*tried.findings(0), *tried.findings(1)} == set(BROKEN)


@pytest.mark.parametrize(
    ("matrix", "said"),
    [([[1.0, 0.2], [0.1, 1.0]], "it is not symmetric"), ([[1.0, 1.5], [1.5, 1.0]], "it holds 1.5")],
)
def test_what_is_no_correlation(matrix: list[list[float]], said: str, tried: Tried) -> None:
    product = {**tried.products[0], "correlation": {"names": ["a", "b"], "matrix": matrix}}
    found = TRIAL.findings(tried.slices[0], product, tried.context)
    assert [f.found for f in found if not f.passed] == [said]


def test_no_signal_is_an_error(tmp_path: Path) -> None:
    table = {DATA: four_lepton()[DATA]}
    chain = Chain.start(tmp_path, table, settings(channel="hzz4l"), samples(table))
    chain.run("preprocess")
    with pytest.raises(NoSliceError, match="signal and background in the categories"):
        list(TRIAL.slices(chain.context("measure")))
