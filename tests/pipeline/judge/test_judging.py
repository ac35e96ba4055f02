"""The judge's door: what is judged, what is not, and what checks amount to."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.configure import configure
from pipeline.judge import judge
from pipeline.judge.judging import JudgeError, conclude
from pipeline.judge.request import JudgeRequest
from pipeline.judge.verdict import Check, GuardCheck


@pytest.fixture
def request_() -> JudgeRequest:
    settings = configure(["run.name=x"])
    agent = replace(settings, solver=replace(settings.solver, name="agent"))
    here = Path("nowhere")
    return JudgeRequest("convert", agent, {}, here, here, here, {}, {}, {"status": "ok"})


def reference(request: JudgeRequest) -> JudgeRequest:
    solver = replace(request.settings.solver, name="reference")
    return replace(request, settings=replace(request.settings, solver=solver))


@pytest.mark.parametrize("status", ["not_reached", "blocked"])
def test_what_never_ran_is_not_judged(request_, status) -> None:
    verdict = judge(replace(request_, record={"status": status, "failure": None}))
    assert (verdict.outcome, verdict.rung, verdict.failure) == ("not_reached", None, None)


def test_a_failed_execution_is_classified_and_attributed(request_) -> None:
    record = {"status": "failed", "failure": {"kind": "KeyError", "message": "'m_gg'"}}
    verdict = judge(replace(request_, record=record))
    assert verdict.outcome == "failed"
    assert verdict.failure is not None
    assert verdict.failure.category == "incorrect branch name"
    assert verdict.failure.attribution == "model"
    ours = judge(replace(reference(request_), record=record))
    assert ours.failure is not None
    assert ours.failure.attribution == "harness"


def test_an_unknown_status_is_refused(request_) -> None:
    with pytest.raises(JudgeError, match="found 'done'"):
        judge(replace(request_, record={"status": "done"}))


EXACT, BELOW = Check("t", False, 1, 2, rung="exact"), Check("t", True, 1, 1, rung="statistical")
UNITS, BROKEN = Check("units of pt", False, 50, 50000), GuardCheck("rows vanish", False, 10, 15)


def test_a_solution_passes_on_its_rung(request_) -> None:
    verdict = conclude(request_, [EXACT, BELOW], [])
    assert (verdict.outcome, verdict.rung) == ("passed", "statistical")


@pytest.mark.parametrize(
    ("checks", "guard", "category"),
    [
        ([EXACT, BELOW, UNITS], [], "units"),
        ([EXACT, BELOW], [BROKEN], "fabrication"),
        ([EXACT], [], "semantic error"),
    ],
)
def test_a_requirement_a_guard_or_no_rung_fails_a_solution(
    request_, checks, guard, category
) -> None:
    verdict = conclude(request_, checks, guard)
    assert (verdict.outcome, verdict.rung) == ("failed", None)
    assert verdict.failure is not None
    assert (verdict.failure.category, verdict.failure.attribution) == (category, "model")


def test_the_reference_has_no_rung_and_its_failure_is_ours(request_) -> None:
    assert conclude(reference(request_), [BELOW], []).outcome == "reference"
    verdict = conclude(reference(request_), [], [BROKEN])
    assert verdict.outcome == "failed"
    assert verdict.failure is not None
    assert verdict.failure.attribution == "harness"


def test_all_rows_are_compared_where_a_sealed_file_is(request_, tmp_path) -> None:
    for folder in ("output", "sealed"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "data.parquet").touch()
    (tmp_path / "output" / "343981.parquet").touch()
    asked = replace(request_, output=tmp_path)
    assert asked.found("data.parquet").parent.name == "sealed"
    assert asked.found("343981.parquet").parent.name == "output"
