"""`ladon explain` tells what happened, shows the evidence, and says whose failure it was."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from agents.evidence import Evidence, Finding, HintViolation
from agents.limits import Limits
from agents.trajectory import Trajectory
from pipeline.explain import explain, print_explanation
from pipeline.explain.reading import NoRunError
from pipeline.files import write_json
from pipeline.judge.verdict import Check, Failure, GuardCheck
from tests.pipeline.solved_run import (
    ACCEPTS,
    INSTRUCTS,
    OK,
    REVISES,
    STAGES,
    SolvedRun,
    module,
)

CODE = ("import numpy as np", "", "def f(x):", "    y = x['photon_E']", "    return y")
BRANCH = Evidence(
    ok=False,
    exception="KeyError",
    message="'photon_E'",
    line=4,
    stdout="\n".join(f"line {n}" for n in range(30)),
    category="incorrect branch name",
    attribution="model",
    hint_violations=(HintViolation("gev", "MeV"),),
)


@pytest.fixture
def run(tmp_path: Path) -> SolvedRun:
    return SolvedRun(tmp_path / "demo").begin()


def printed(run: SolvedRun, width: int = 110) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_explanation(console, run.path)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_a_green_run_says_so_in_one_line(run: SolvedRun) -> None:
    for stage in STAGES:
        run.passed(stage)
    run.finish()
    assert explain(run.path).green
    assert printed(run) == "demo: all 3 stages passed by the judge; nothing to explain\n"


def test_a_stage_that_no_round_solved(run: SolvedRun) -> None:
    run.passed("inspect")
    replies = [INSTRUCTS, module(*CODE), REVISES, module(*CODE, "# again")]
    outcome = run.solve("convert", replies, [BRANCH, BRANCH], Limits(max_rounds=2))
    assert outcome.failure is not None
    failure = {"category": "incorrect branch name", "attribution": "model", "evidence": "KeyError"}
    run.record("convert", status="failed", failure=failure)
    run.judged("convert", Failure(**failure))  # type: ignore[arg-type]
    run.not_reached("preprocess", "convert")
    run.finish()
    failed, unreached = explain(run.path).stories
    assert (failed.stage, failed.state, failed.round, failed.line) == ("convert", "failed", 2, 4)
    assert failed.happened == (
        "no module was accepted in 2 rounds; the last one: KeyError: 'photon_E' (line 4)"
    )
    assert [line.number for line in failed.code] == [1, 2, 3, 4, 5, 6]
    assert [line.text for line in failed.code if line.here] == ["    y = x['photon_E']"]
    assert failed.output == tuple(f"line {n}" for n in range(20, 30))
    assert failed.category is not None
    assert failed.category.study == "incorrect branch name"
    assert failed.spent is not None
    assert (failed.spent.rounds, failed.spent.calls) == (2, 4)
    assert (failed.spent.prompt_tokens, failed.spent.completion_tokens) == (400, 40)
    assert failed.hint_violations == ("round 1: gev: MeV", "round 2: gev: MeV")
    assert failed.where[:2] == (
        "points/main/convert/trajectory.jsonl",
        "points/main/convert/solution.py",
    )
    assert unreached.state == "not_reached"
    assert unreached.happened == "it was not run: stage convert before it has no output"
    text = one_line(printed(run))
    assert text.startswith("demo: 1 stage failed, 1 stage not reached")
    assert "→ 4 y = x['photon_E']" in text
    assert "attributed the model" in text
    assert "category incorrect branch name: a branch, column or field was asked for that" in text
    assert "2 rounds, 4 calls, 400 tokens of prompts and 40 of replies" in text


def test_the_same_error_and_a_limit_are_told_as_such(run: SolvedRun) -> None:
    again = [INSTRUCTS, module(*CODE), REVISES, module(*CODE), REVISES, module(*CODE)]
    run.solve("convert", again, [BRANCH] * 3, Limits(max_rounds=5))
    run.solve("inspect", again, [BRANCH] * 3, Limits(max_calls=3))
    for stage in ("inspect", "convert"):
        run.record(stage, status="failed", failure={"kind": "", "message": "nothing accepted"})
    limited, stuck = explain(run.path).stories
    assert stuck.happened.startswith("the same error came back round after round, until the loop")
    assert stuck.failure is not None
    assert (stuck.failure.category, stuck.cause) == ("no progress", "incorrect branch name")
    assert limited.failure is not None
    assert (limited.failure.category, limited.failure.attribution) == ("limit", "model")
    assert "max_calls=3" in limited.happened


def test_a_reply_without_code_is_evidence(run: SolvedRun) -> None:
    nothing = ("coder", "I cannot help with that.")
    run.solve("convert", [INSTRUCTS, nothing, nothing], [], Limits(max_rounds=1))
    run.record("convert", status="failed", failure={"kind": "", "message": "nothing accepted"})
    [story] = explain(run.path).stories
    assert story.exception == "ReplyError"
    assert story.failure is not None
    assert story.failure.category == "refusal"
    assert story.code == ()


def test_a_supervisor_who_accepts_what_failed_is_told(run: SolvedRun) -> None:
    units = Evidence(ok=False, findings=(Finding("units of pt", False, "50 GeV", "50000"),),
                     category="units")  # fmt: skip
    replies = [INSTRUCTS, module(*CODE), ACCEPTS, module(*CODE)]
    run.solve("convert", replies, [units, units], Limits(max_rounds=2))
    run.record("convert", status="failed", failure={"kind": "", "message": "nothing accepted"})
    [story] = explain(run.path).stories
    assert story.supervisor_errors == (
        "round 1: accepted what had failed (units of pt: expected 50 GeV, found 50000)",
    )
    assert [(m.name, m.expected, m.found) for m in story.misses] == [
        ("units of pt", "50 GeV", "50000")
    ]
    assert "units of pt expected 50 GeV found 50000" in one_line(printed(run))


def test_a_module_that_failed_when_it_ran_over_everything(run: SolvedRun) -> None:
    run.solve("convert", [INSTRUCTS, module(*CODE), ACCEPTS], [OK])
    trace = "Traceback:\n  File \"solution.py\", line 4, in f\nKeyError: 'photon_E'\n"
    (run.folder("convert") / "failure.txt").write_text(trace, encoding="utf-8")
    failure = {"kind": "OSError", "message": "OSError: No space left on device", "traceback": ""}
    run.record("convert", status="failed", failure=failure)
    [story] = explain(run.path).stories
    assert story.happened == (
        "the module that was accepted in round 1 failed when it ran over everything: "
        "OSError: No space left on device"
    )
    assert (story.line, story.round) == (4, 1)
    assert story.output[-1] == "KeyError: 'photon_E'"
    assert [line.text for line in story.code if line.here] == ["    y = x['photon_E']"]
    assert story.failure is not None
    assert story.failure.attribution == "model"
    assert "points/main/convert/failure.txt" in story.where


def test_a_module_that_the_judge_did_not_accept(run: SolvedRun) -> None:
    run.solve("convert", [INSTRUCTS, module(*CODE), ACCEPTS], [OK])
    run.record("convert")
    checks = (
        Check("rows", True, 39, 39),
        Check("units of pt", False, 50.0, 50000.0, "GeV"),
        Check("values", False, "a", "b", rung="exact"),
    )
    guard = (GuardCheck("rows dropped", False, 26, 39),)
    run.judged("convert", Failure("units", "model", "units of pt"), checks, guard)
    [story] = explain(run.path).stories
    assert story.happened.endswith("made: 2 of its requirements and guards failed")
    assert [(m.name, m.expected, m.found) for m in story.misses] == [
        ("units of pt", "50.0", "50000.0 (GeV)"),
        ("rows dropped", "26", "39"),
    ]
    assert story.category is not None
    assert story.category.study == "semantic error"
    assert "(in the study's words: semantic error)" in one_line(printed(run))


def test_a_run_that_stopped_says_what_is_missing_and_whose_fault(run: SolvedRun) -> None:
    run.passed("inspect")
    live = run.path / "dialogues" / "points" / "main" / "convert.jsonl"
    with Trajectory(live) as record:
        record.record("start", {"models": {}})
    run.solve("convert", [INSTRUCTS, module(*CODE), ACCEPTS], [OK])
    folder = run.folder("convert")
    live.write_bytes(b"".join((folder / "trajectory.jsonl").read_bytes().splitlines(True)[:4]))
    for path in folder.iterdir():
        path.unlink()
    write_json(
        run.path / "logs" / "errors" / "solve-points-main-convert.json",
        {"step": "solve", "sentence": "expected an answer, found HTTP status 503", "log": "x.log",
         "type": "EndpointError", "attribution": "endpoint", "category": "endpoint error"},
    )  # fmt: skip
    found = explain(run.path)
    assert not found.finished
    [story] = found.stories
    assert story.state == "unfinished"
    assert story.happened == "its solution is being written: 1 reply kept, in 1 round"
    assert story.where == ("dialogues/points/main/convert.jsonl",)
    [fault] = found.faults
    assert (fault.attribution, fault.category) == ("endpoint", "endpoint error")
    text = one_line(printed(run))
    assert "attributed the endpoint: it does not count against the model" in text
    assert "not finished:" in text
    assert "Give the same command again: it continues where this run was." in text


@pytest.mark.parametrize(
    ("kind", "sentence", "attribution"),
    [
        ("OSError", "[Errno 28] No space left on device", "infrastructure"),
        ("EndpointError", "expected an answer of the endpoint", "endpoint"),
        ("FilesetError", "expected a ROOT file, found one that is truncated", "data"),
        ("ReferenceFailedError", "the reference solution of convert failed: KeyError: 'x'",
         "harness"),
        ("ValueError", "something unheard of", "harness"),
    ],
)  # fmt: skip
def test_a_fault_of_a_step_is_never_the_models(
    run: SolvedRun, kind: str, sentence: str, attribution: str
) -> None:
    """Older runs, and other steps, keep no attribution: rules over our own words find it."""
    write_json(run.path / "logs" / "errors" / "execute.json",
               {"step": "execute", "sentence": sentence, "type": kind, "log": ""})  # fmt: skip
    [fault] = explain(run.path).faults
    assert fault.attribution == attribution


def test_an_older_run_without_some_files_is_told_as_far_as_it_goes(run: SolvedRun) -> None:
    run.solve("convert", [INSTRUCTS, module(*CODE), ACCEPTS], [OK])
    run.record("convert", status="failed", failure={"kind": "KeyError", "message": "'x'"})
    (run.folder("convert") / "attempts.json").unlink()
    (run.folder("convert") / "trajectory.jsonl").write_text("no JSON\n", encoding="utf-8")
    [story] = explain(run.path).stories
    assert story.failure is not None
    assert story.failure.category == "incorrect branch name"
    assert any("attempts.json is not there" in remark for remark in story.remarks)
    assert any("cannot be read" in remark for remark in story.remarks)
    assert "attempts.json is not there" in printed(run)


def test_text_of_a_solution_is_no_markup(run: SolvedRun) -> None:
    rude = Evidence(ok=False, exception="ValueError", message="[/bold][link=x]", line=1)
    run.solve("convert", [INSTRUCTS, module("[red]", "x = 1")], [rude], Limits(max_rounds=1))
    run.record("convert", status="failed", failure={"kind": "", "message": "nothing accepted"})
    text = printed(run)
    assert "[/bold][link=x]" in text
    assert "[red]" in text


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoRunError, match=r"found no sweep\.json"):
        explain(tmp_path)
