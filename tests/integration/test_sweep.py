"""A sweep as a user gives it: one graph, tables equal to what is known, extended, disturbed.

All models are SCRIPTED (skills of pipeline/scripted), the data synthetic and little.
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from agents.trajectory import read_entries
from pipeline.evaluation.measures import measures
from pipeline.evaluation.reading import read_cells
from pipeline.scripted.skill import rates_of
from pipeline.scripted.truth import expected, expected_cells
from tests.command import Ladon
from tests.pipeline.sweep_page.browser import browser
from tests.pipeline.sweep_page.looking import (
    BADGES,
    CAPTIONS,
    CHANGED,
    ROWS,
    choose,
    chromium,
    opened,
    quiet,
    sort_by,
)

STAGES = ("inspect", "convert", "preprocess", "classify", "categorize")
MODELS = ("expert", "student", "novice")
WITH_HISTOGRAMS = ("convert", "preprocess", "classify")
LITTLE = ("data.luminosity=0.05", "chain=isolated", "stages=[inspect,categorize]")


@dataclass(frozen=True)
class Smoke:
    """The finished sweep, and how many trials it has."""

    folder: Path
    trials: int


@pytest.fixture(
    scope="module",
    params=[pytest.param(2, id="few"), pytest.param(10, id="all", marks=pytest.mark.slow)],
)
def smoke(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    """The bundled sweep: 3 models, 5 stages, 10 trials; of the quick tests only 2 of these."""
    trials = int(request.param)
    command = Ladon(tmp_path_factory.mktemp("smoke"))
    command("sweep", "sweep=smoke", "run.name=smoke", f"trial=range(0,{trials})")
    return Smoke(command.folder / "outputs" / "smoke", trials)


def test_every_cell_is_what_is_known_of_it(smoke: Smoke) -> None:
    found = {(c.model, c.stage, c.trial): c for c in read_cells(smoke.folder)}
    known = expected_cells(MODELS, STAGES, range(smoke.trials))
    assert len(found) == len(known) == 15 * smoke.trials
    wrong = []
    for cell in known:
        got, want = found[cell.model, cell.stage, cell.trial], cell.result
        failure = got.failure
        told = (
            got.outcome, got.rung, got.rounds, got.api_calls, failure and failure.category,
            failure and failure.attribution, failure and failure.cause,
        )  # fmt: skip
        cause = want.cause or want.category
        wanted = (
            want.outcome, want.rung, want.rounds, want.api_calls, want.category,
            want.attribution, cause,
        )  # fmt: skip
        if told != wanted:
            wrong.append((cell.model, cell.stage, cell.trial, cell.variant, told, wanted))
    assert not wrong


def test_the_tables_are_the_truth(smoke: Smoke) -> None:
    known = expected_cells(MODELS, STAGES, range(smoke.trials))
    with (smoke.folder / "tables" / "measures.csv").open(newline="") as handle:
        rows = {(row["config"], row["stage"]): row for row in csv.DictReader(handle)}
    for model in MODELS:
        for stage in STAGES:
            passed = sum(
                c.result.outcome == "passed" for c in known if (c.model, c.stage) == (model, stage)
            )
            row = rows[model, stage]
            told = (int(row["rated"]), float(row["success_physics"]))
            assert told == (smoke.trials, passed / smoke.trials)


def test_the_intervals_cover_the_stated_rates(smoke: Smoke) -> None:
    """At 95 % a few of fifteen may miss; over all stages none of the three should."""
    missed = []
    for found in measures(read_cells(smoke.folder)):
        stages = STAGES if found.stage == "all" else (found.stage,)
        stated = sum(_rate(found.model, stage) for stage in stages) / len(stages)
        low, high = found.passed.low, found.passed.high
        assert low is not None
        assert high is not None
        if not low <= stated <= high:
            missed.append((found.model, found.stage))
    assert len(missed) <= 2
    assert not [stage for _, stage in missed if stage == "all"]


def _rate(model: str, stage: str) -> float:
    """The rate of success that a skill states."""
    drawn = rates_of(model)[stage]
    return sum(
        rate for script, rate in drawn.items() if expected(script, stage).outcome == "passed"
    )


def test_same_code_was_run_once(smoke: Smoke) -> None:
    cells = [c for c in read_cells(smoke.folder) if c.output_sha256 is not None]
    by_code: dict[tuple[str, str | None], set[str | None]] = {}
    for cell in cells:
        by_code.setdefault((cell.stage, cell.code_sha256), set()).add(cell.output_sha256)
    assert all(len(outputs) == 1 for outputs in by_code.values())
    assert any(c.shared for c in cells)


def test_the_page_is_one_file_of_moderate_size(smoke: Smoke) -> None:
    page = (smoke.folder / "report.html").read_text(encoding="utf-8")
    assert "Scripted replies" in page
    assert "Synthetic data" in page
    assert len(page.encode()) < 10_000_000
    assert json.loads((smoke.folder / "summary.json").read_text())["cells"] == {
        "all": 15 * smoke.trials, "missing": 0,
    }  # fmt: skip


@pytest.mark.chromium
def test_the_page_sorts_filters_and_opens_a_trial(smoke: Smoke, tmp_path: Path) -> None:
    known = expected_cells(MODELS, STAGES, range(smoke.trials))
    revised = next(
        c for c in known
        if c.result.outcome == "passed" and c.result.rounds > 1 and c.stage in WITH_HISTOGRAMS
    )  # fmt: skip
    with browser(chromium(), tmp_path) as page:
        opened(page, smoke.folder)
        rates = [float(text) for text in page.evaluate(ROWS.format("leaderboard", 1))]
        assert rates == sorted(rates, reverse=True)
        sort_by(page, "leaderboard", 1)
        sort_by(page, "leaderboard", 1)
        assert page.evaluate(ROWS.format("leaderboard", 1)) == [f"{r:.2f}" for r in rates[::-1]]

        page.evaluate(
            f"document.querySelector('#heatmap [data-config={revised.model}]"
            f"[data-stage={revised.stage}]').click()"
        )
        behind = [c for c in known if (c.model, c.stage) == (revised.model, revised.stage)]
        assert page.evaluate(ROWS.format("trials", 3)) == [str(c.trial) for c in behind]
        choose(page, "outcome", "passed")
        passed = [str(c.trial) for c in behind if c.result.outcome == "passed"]
        assert page.evaluate(ROWS.format("trials", 3)) == passed

        row = passed.index(str(revised.trial))
        page.evaluate(f"document.querySelectorAll('#trials-table button.open')[{row}].click()")
        page.wait(f"dialog.dataset.ready?.endsWith('/{revised.stage}') ?? false")
        text = page.evaluate("dialog.innerText")
        for part in ("Supervisor's instructions", "Evidence", "Verdict", "Fabrication guard"):
            assert part in text
        assert any(lines for lines in page.evaluate(CHANGED))
        assert "rows" in page.evaluate(CAPTIONS)[0]
        assert page.evaluate(BADGES) == ["Synthetic data", "Scripted replies"]
        quiet(page, smoke.folder)


def written(run: Path) -> dict[str, int]:
    """When each file that a model or an execution made was written."""
    names = ("trajectory.jsonl", "record.json", "verdict.json")
    return {
        path.relative_to(run).as_posix(): path.stat().st_mtime_ns
        for name in names
        for path in run.glob(f"points/*/*/{name}")
    }


def test_extended_it_computes_what_is_new(tmp_path: Path) -> None:
    ladon = Ladon(tmp_path)
    few = ("run.name=grown", *LITTLE, "stages=[inspect]")
    ladon("sweep", "model=student,novice", "trial=range(0,2)", *few)
    run = tmp_path / "outputs" / "grown"
    first = written(run)
    assert len({name.split("/")[1] for name in first}) == 4
    ladon("sweep", "model=student,novice", "trial=range(0,2)", *few)
    assert written(run) == first

    ladon("sweep", "model=student,novice,expert", "trial=range(0,4)", *few)
    more = written(run)
    assert {name: more[name] for name in first} == first
    assert len({name.split("/")[1] for name in more}) == 12

    ladon("sweep", "model=student,novice", "trial=range(0,2)", *few[:-1])  # categorize as well
    last = written(run)
    assert {name: last[name] for name in more} == more
    new = {name for name in last if name not in more}
    assert {name.split("/")[2] for name in new} == {"categorize"}
    assert len({name.split("/")[1] for name in new}) == 4


def calls(run: Path) -> int:
    """Replies of models that the run recorded."""
    return sum(
        entry.kind == "reply"
        for path in run.glob("points/*/*/trajectory.jsonl")
        for entry in read_entries(path)
    )


@pytest.mark.slow
def test_killed_at_three_random_moments(tmp_path: Path) -> None:
    """SIGKILL to every process of it; the same command goes on, to the same tables."""
    sweep = ("sweep", *LITTLE, "model=expert,student,novice", "trial=range(0,4)")
    calm = Ladon(tmp_path)
    began = time.monotonic()
    calm(*sweep, "run.name=calm")
    took = time.monotonic() - began
    chance = random.Random(20261128)
    for _ in range(3):
        child = calm.start(*sweep, "run.name=killed")
        time.sleep(chance.uniform(0.3, 0.7) * took)
        family = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
        for process in family:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        child.communicate()
        assert not psutil.wait_procs(family, timeout=20)[1]
    calm(*sweep, "run.name=killed")
    runs = [tmp_path / "outputs" / name for name in ("calm", "killed")]
    tables = [sorted((run / "tables").glob("*.csv")) for run in runs]
    assert [p.name for p in tables[0]] == [p.name for p in tables[1]]
    for one, other in zip(*tables, strict=True):
        assert list(untimed(one)) == list(untimed(other)), one.name
    assert calls(runs[0]) == calls(runs[1]) > 0


def untimed(table: Path) -> Iterator[dict[str, str]]:
    """The rows of a table without the columns that differ from run to run."""
    from pipeline.evaluation.tables import is_timed

    with table.open(newline="") as handle:
        for row in csv.DictReader(handle):
            # Which of two points with the same code ran it is a matter of who was first.
            yield {k: v for k, v in row.items() if not (is_timed(k) or of_chance(k))}


def of_chance(column: str) -> bool:
    return column in ("run", "same_by_construction") or "shared" in column


def test_one_failed_point_stops_no_other(tmp_path: Path) -> None:
    ladon = Ladon(tmp_path)
    child = ladon.start(
        "sweep", "run.name=mixed", *LITTLE, "stages=[inspect]", "model=endpoint,expert",
        "model.repository=nobody/nothing", "model.base_url=http://127.0.0.1:9/v1",
        "model.max_retries=0",
    )  # fmt: skip
    text, _ = child.communicate()
    assert child.returncode == 1, text
    assert "Traceback" not in text
    cells = {c.model: c for c in read_cells(tmp_path / "outputs" / "mixed")}
    assert cells["expert"].outcome == "passed"
    assert cells["endpoint"].outcome == "missing"
    assert cells["endpoint"].failure is not None
    assert cells["endpoint"].failure.attribution == "endpoint"
    assert not cells["endpoint"].rated
    assert (tmp_path / "outputs" / "mixed" / "report.html").exists()
