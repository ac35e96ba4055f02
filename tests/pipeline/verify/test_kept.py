"""What points of a sweep share: each change of it is named, and on which side it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.steps.context import Place
from pipeline.steps.sharing import key_of
from pipeline.verify.findings import Group
from pipeline.verify.folder import RunFolder
from pipeline.verify.kept import check_kept
from pipeline.verify.kept_tries import TRIES
from tests.pipeline.verify.copies import Copy, of_file, sentences

pytestmark = pytest.mark.timeout(1800)  # the first one waits for the run of all

STAGE = "points/main/classify"


def check(run: Copy) -> Group:
    return check_kept(RunFolder.open(run.path))


def kept_of(run: Copy) -> str:
    """The folder of the execution of the first point's classify."""
    place = Place("points/main", "classify", RunFolder.open(run.path).layout)
    return f"executions/{key_of(place, run.json(f'{STAGE}/record.json'))}"


def verdict_of(run: Copy) -> str:
    (path,) = (run.path / kept_of(run)).glob("verdict-*.json")
    return path.relative_to(run.path).as_posix()


def slower(content: Any) -> None:
    timing = content.get("timing", content)
    timing["wall_s"] += 1.0


def test_nothing_is_wrong_with_a_sweep(sweep: Copy) -> None:
    found = check(sweep)
    assert (sentences(found), found.notes) == ([], [])
    assert found.checked > 50


def test_one_bit_of_a_kept_output(sweep: Copy) -> None:
    name = f"{kept_of(sweep)}/output/signal.parquet"
    sweep.flip(name)
    (failure,) = check(sweep).failures
    assert failure.file == name
    assert failure.expected.startswith("a file with the hash in execution.json")


def test_kept_output_that_is_gone_or_one_more(sweep: Copy) -> None:
    kept = kept_of(sweep)
    sweep.remove(f"{kept}/output/signal.parquet")
    sweep.write(f"{kept}/output/more.parquet", b"")
    assert [(f.file, f.found) for f in check(sweep).failures] == [
        (f"{kept}/output/signal.parquet", "no such file"),
        (f"{kept}/output/more.parquet", "one more"),
    ]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (slower, "timing.wall_s"),
        (lambda c: c["files"].update({"output/signal.parquet": "0" * 64}),
         "files.output/signal.parquet"),
    ],
)  # fmt: skip
def test_what_tells_of_a_kept_execution(
    sweep: Copy, change: Callable[[Any], None], place: str
) -> None:
    """Two points agree against it: it is the one that was changed."""
    name = f"{kept_of(sweep)}/execution.json"
    sweep.edit(name, change)
    (failure,) = of_file(check(sweep), name)
    assert failure.expected.startswith(f"{place} as points/main/classify/")
    assert " and 1 more have it, " in failure.expected


def test_time_of_a_point_that_took_an_execution_over(sweep: Copy) -> None:
    name = "points/second/classify/timing.json"
    sweep.edit(name, slower)
    (failure,) = check(sweep).failures
    assert failure.file == name
    assert failure.expected.startswith(f"timing.wall_s as {kept_of(sweep)}/execution.json has it")


def test_who_made_an_execution_is_noted(sweep: Copy) -> None:
    def turn(content: Any) -> None:
        content["taken_over"] = not content["taken_over"]

    sweep.edit("points/second/classify/timing.json", turn)
    assert any("say that they made the same execution" in note for note in check(sweep).notes)
    for point in ("main", "second"):
        sweep.edit(f"points/{point}/classify/timing.json", lambda c: c.update(taken_over=True))
    assert any(f"made {kept_of(sweep)}/execution.json" in note for note in check(sweep).notes)


def other_check(content: Any) -> None:
    content["checks"][0]["found"] = "something else"


def test_number_of_a_verdict_differs_from_the_kept_one(sweep: Copy) -> None:
    """What only judging again found before: the outcome still follows from the checks."""
    sweep.edit(f"{STAGE}/verdict.json", other_check)
    (failure,) = check(sweep).failures
    assert failure.file == f"{STAGE}/verdict.json"
    assert failure.expected.startswith(f"checks[0].found as {verdict_of(sweep)} has it")
    assert failure.found == "something else"


def test_kept_verdict_that_was_changed_or_removed(sweep: Copy) -> None:
    name = verdict_of(sweep)
    sweep.edit(name, other_check)
    (failure,) = check(sweep).failures
    assert failure.file == name
    assert failure.expected.startswith(f"checks[0].found as {STAGE}/verdict.json and 1 more")
    sweep.remove(name)
    (failure,) = check(sweep).failures
    assert (failure.file, failure.found) == (name, "no such file")


def test_kept_execution_that_is_gone(sweep: Copy) -> None:
    kept = kept_of(sweep)
    shutil.rmtree(sweep.path / kept)
    (failure,) = check(sweep).failures
    assert failure.file == f"{kept}/execution.json"
    assert failure.expected == f"the execution of {STAGE}/record.json"


def test_run_begun_by_other_code_need_not_have_kept_all(sweep: Copy) -> None:
    kept = kept_of(sweep)
    shutil.rmtree(sweep.path / kept)
    sweep.edit("provenance.json", lambda c: c.update(begun_by_code="0" * 64))
    found = check(sweep)
    assert not found.failures
    assert [note for note in found.notes if note.startswith(f"{kept}/execution.json is not there")]


def test_executions_that_were_cleaned_are_no_tampering(sweep: Copy) -> None:
    shutil.rmtree(sweep.path / "executions")
    found = check(sweep)
    assert not found.failures
    assert any("executions is not there" in note for note in found.notes)


def test_execution_and_try_of_nobody_are_noted(sweep: Copy) -> None:
    shutil.copytree(sweep.path / kept_of(sweep), sweep.path / "executions" / ("0" * 32))
    sweep.write(f"{TRIES}/{'0' * 32}.json", b"{}")
    found = check(sweep)
    assert not found.failures
    assert [note.partition(" belong to no ")[0] for note in found.notes] == [
        "1 of {} kept executions".format(len(list(sweep.path.glob("executions/" + "?" * 32)))),
        "1 kept tries",
    ]  # fmt: skip


def failed_try(run: Copy) -> str:
    """A try that failed, which both points were told of."""
    for path in sorted((run.path / TRIES).glob("*.json")):
        if not run.json(path.relative_to(run.path).as_posix())["ok"]:
            return path.relative_to(run.path).as_posix()
    raise AssertionError("the scripted model fails once")


def test_what_a_try_showed(sweep: Copy) -> None:
    name = failed_try(sweep)
    sweep.edit(name, lambda c: c.update(message="all is well"))
    (failure,) = check(sweep).failures
    assert (failure.file, failure.found) == (name, "all is well")
    assert failure.expected.startswith("message as points/main/")
    sweep.remove(name)
    (failure,) = check(sweep).failures
    assert (failure.file, failure.found) == (name, "no such file")


def test_what_a_module_prints_may_differ(sweep: Copy) -> None:
    sweep.edit(failed_try(sweep), lambda c: c.update(stdout="at 12:03:04"))
    found = check(sweep)
    assert not found.failures
    assert any("another stdout of the same module" in note for note in found.notes)


def test_evidence_of_one_dialogue(sweep: Copy) -> None:
    tried = Path(failed_try(sweep)).stem
    message = str(sweep.json(f"{TRIES}/{tried}.json")["message"])
    spoken = [p for p in sorted(sweep.path.glob("points/main/*/trajectory.jsonl"))
              if f'"message": "{message}' in p.read_text()]  # fmt: skip
    name = spoken[0].relative_to(sweep.path).as_posix()
    sweep.replace(name, f'"message": "{message}', f'"message": "all is well; {message}')
    (failure,) = check(sweep).failures
    assert failure.file == name
    assert failure.expected.startswith(f"message of its evidence as {TRIES}/{tried}.json has it")


def test_damaged_files_are_told_without_a_traceback(sweep: Copy) -> None:
    for path in sorted((sweep.path / "executions").rglob("*.json")):
        sweep.write(path.relative_to(sweep.path).as_posix(), b'{"schema": [')
    assert len(check(sweep).failures) > 10
