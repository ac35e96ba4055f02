"""What inspect is tried on: two small files, and a broken summary for every finding."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from pipeline.stages.contract import StageContext
from pipeline.stages.inspect.contract import CONTRACT, blocked
from pipeline.stages.inspect.reference import inspect
from pipeline.stages.inspect.trial import TRIAL
from pipeline.stages.trial import NoSliceError
from tests.pipeline.stages.convert.files import fileset, write_events
from tests.pipeline.stages.tables import settings

DATA, MC = "data15_periodD", "346525"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    folder = tmp_path_factory.mktemp("inspect")
    numbers = {n: np.arange(7, dtype=np.int64) for n in ("runNumber", "eventNumber")}
    numbers["channelNumber"] = np.arange(7, dtype=np.int64)
    photons = {"photon_pt": ak.Array([[50.0, 40.0], [], [30.0]] + [[]] * 4)}
    paths = {n: [write_events(folder / f"{n}.root", {**numbers, **photons})] for n in (DATA, MC)}
    made = fileset(paths)
    made["samples"]["1"] = {**made["samples"][MC], "files": [{"path": "gone", "entries": None}]}
    return StageContext(settings(), made, {})


def product(context: StageContext, place: int = 0) -> Any:
    given = list(TRIAL.slices(context))[place]
    paths = given.arguments["paths"]
    return CONTRACT.accept({n: inspect(p) for n, p in paths.items()}, given.arguments)


def test_one_file_of_data_and_one_of_simulation(context: StageContext) -> None:
    slices = list(TRIAL.slices(context))
    assert [s.name for s in slices] == [f"{DATA}, first file", f"{MC}, first file"]
    assert [list(s.arguments["paths"]) for s in slices] == [[DATA], [MC]]


def test_our_solution_passes(context: StageContext) -> None:
    for place, given in enumerate(TRIAL.slices(context)):
        findings = TRIAL.findings(given, product(context, place), context)
        assert [f for f in findings if not f.passed] == []
        assert len(findings) == 6


@pytest.mark.parametrize("listed", [False, True])
def test_files_that_the_jobs_of_convert_count_are_opened_where_they_are_given(
    context: StageContext, tmp_path: Path, listed: bool
) -> None:
    """A first file that is broken is passed over: nobody has looked, whatever a manifest says (of
    2024r-pp, nothing)."""
    broken = tmp_path / "broken.root"
    broken.write_bytes(b"root" + bytes(2_000))
    made = copy.deepcopy(dict(context.fileset))
    for sample in made["samples"].values():
        if not listed:
            sample["files"] = [{**f, "entries": None} for f in sample["files"]]
    good = made["samples"][DATA]["files"][0]
    made["samples"][DATA]["files"].insert(0, {**good, "path": str(broken)})
    later = replace(context, fileset={**made, "counted": False})
    assert blocked(later) is None
    assert (blocked(replace(context, fileset=made)) is None) is listed
    known = CONTRACT.arguments(context)["paths"]
    assert CONTRACT.arguments(later)["paths"] == known
    for place, given in enumerate(TRIAL.slices(later)):
        findings = TRIAL.findings(given, product(later, place), later)
        assert [f for f in findings if not f.passed] == []


def test_no_readable_file_is_an_error(context: StageContext) -> None:
    with pytest.raises(NoSliceError, match="a readable file"):
        list(TRIAL.slices(replace(context, fileset={"tree": "t", "samples": {}})))


def rename(trees: dict[str, Any]) -> None:
    trees["analysis;1"] = trees["analysis"]
    trees["events"] = trees.pop("analysis")


def all_numbers(trees: dict[str, Any]) -> None:
    trees["analysis"]["branches"] = dict.fromkeys(trees["analysis"]["branches"], "float")


BROKEN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "the tree of the events is found": rename,
    "entries": lambda trees: trees["analysis"].update(entries=8),
    "branches that every event has": lambda trees: trees["analysis"]["branches"].pop("runNumber"),
    "every branch has the name of a type": lambda trees: trees["analysis"]["branches"].update(
        runNumber="<class 'int'>"
    ),
    "some branches hold lists": all_numbers,
    "trees are named without their cycle": lambda trees: trees.update({"analysis;1": {}}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_finding_can_fail(name: str, context: StageContext) -> None:
    given = next(iter(TRIAL.slices(context)))
    broken = copy.deepcopy(product(context))
    BROKEN[name](broken[DATA]["trees"])
    failed = {f.name for f in TRIAL.findings(given, broken, context) if not f.passed}
    assert name in failed
    assert {f.name for f in TRIAL.findings(given, product(context), context)} == set(BROKEN)


def test_says_nothing_of_the_path(tmp_path: Path, context: StageContext) -> None:
    given = next(iter(TRIAL.slices(context)))
    said = [f"{f.expected} {f.found}" for f in TRIAL.findings(given, product(context), context)]
    assert not any("/" in text for text in said)
