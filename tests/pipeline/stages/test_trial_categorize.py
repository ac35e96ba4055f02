"""What categorize is tried on, and broken boundaries for every finding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.files import write_table
from pipeline.stages.categorize.contract import CONTRACT
from pipeline.stages.categorize.reference import boundaries
from pipeline.stages.categorize.trial import TRIAL
from pipeline.stages.contract import StageContext
from pipeline.stages.trial import NoSliceError, Slice
from tests.pipeline.stages.tables import settings


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    """Signal at high scores, 60 events; background at low ones, 400 events."""
    folder = tmp_path_factory.mktemp("categorize")
    draw = np.random.default_rng(5)
    write(folder, draw.beta(4, 2, 4_000), draw.beta(2, 4, 4_000))
    return StageContext(settings(), {}, {"classify": folder})


def write(folder: Path, signal: np.ndarray, background: np.ndarray) -> None:
    for name, score, total in (("signal", signal, 60.0), ("background", background, 400.0)):
        weight = total / max(len(score), 1)
        table = pd.DataFrame({"score": score, "weight": weight, "m_yy": 125.0})
        write_table(folder / "output" / f"{name}.parquet", table)


@pytest.fixture(scope="module")
def given(context: StageContext) -> Slice:
    (only,) = TRIAL.slices(context)
    return only


def failed(given: Slice, found: list[float], context: StageContext) -> set[str]:
    product = CONTRACT.accept(found, given.arguments)
    return {f.name for f in TRIAL.findings(given, product, context) if not f.passed}


def test_our_solution_passes(context: StageContext, given: Slice) -> None:
    found = boundaries(**given.arguments)
    assert len(found) >= 2
    assert failed(given, found, context) == set()
    product = CONTRACT.accept(found, given.arguments)
    assert {f.name for f in TRIAL.findings(given, product, context)} == {*BROKEN.values()}


BROKEN = {
    (0.355, 0.6): "boundaries are candidates",
    (0.6, 0.99): "every category keeps its background",
    (0.02, 0.6): "every boundary gains enough",
    (): "no further boundary would gain enough",
}


@pytest.mark.parametrize("found", BROKEN)
def test_every_finding_can_fail(
    found: tuple[float, ...], context: StageContext, given: Slice
) -> None:
    assert BROKEN[found] in failed(given, [*found], context)


def test_without_boundaries_one_category_may_hold_little(tmp_path: Path) -> None:
    """Where no candidate keeps the background there is one category, and nothing to object to."""
    draw = np.random.default_rng(5)
    write(tmp_path, draw.random(50), draw.random(50))
    chosen = settings("channel.categorize.min_background=1000")
    context = StageContext(chosen, {}, {"classify": tmp_path})
    (given,) = TRIAL.slices(context)
    assert failed(given, [], context) == set()
    assert boundaries(**given.arguments) == []


def test_no_signal_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, np.empty(0), np.ones(3))
    with pytest.raises(NoSliceError, match="scores of signal"):
        list(TRIAL.slices(StageContext(settings(), {}, {"classify": tmp_path})))
