"""Executions, verdicts and tries that points share."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agents.evidence import Evidence
from pipeline.files import read_json, sha256_file, write_json
from pipeline.freeze import freeze_sweep
from pipeline.steps import sharing
from pipeline.steps.context import Place
from pipeline.steps.kept_tries import TRIES, KeptTries
from pipeline.sweep.point import points_of

TIMING = {"wall_s": 2.0, "taken_over": False}


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Place, Place]:
    """The same stage of two trials, in a frozen sweep."""
    asked = [["run.name=x", "chain=isolated", f"trial={n}"] for n in range(2)]
    freeze_sweep(points_of(asked), tmp_path)
    monkeypatch.chdir(tmp_path)
    first, second = (Place.at(f"points/trial00{n}", "classify") for n in range(2))
    for place in (first, second):
        place.folder.mkdir(parents=True)
    first.reference_folder.mkdir(parents=True)
    write_json(first.reference_folder / "record.json", {"files": {}})
    return first, second


def executed(place: Place, status: str = "ok", code: str = "c") -> dict[str, Any]:
    """A record, and the file that it tells of."""
    path = place.folder / "output" / "scores.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("0.5\n")
    return {
        "status": status, "solution_sha256": code, "inputs_sha256": "i",
        "files": {"output/scores.txt": sha256_file(path)},
    }  # fmt: skip


def test_the_same_code_is_run_once(places: tuple[Place, Place]) -> None:
    first, second = places
    record = executed(first)
    sharing.keep(first, record, TIMING)
    asked = {**record, "files": {}}
    assert sharing.take_over(second, asked) == record["files"]
    there = second.folder / "output" / "scores.txt"
    assert there.samefile(first.folder / "output" / "scores.txt")
    assert read_json(second.folder / "timing.json") == {"wall_s": 2.0, "taken_over": True}


@pytest.mark.parametrize("other", [{"solution_sha256": "d"}, {"inputs_sha256": "j"}])
def test_other_code_or_inputs_are_run(places: tuple[Place, Place], other: dict[str, str]) -> None:
    first, second = places
    record = executed(first)
    sharing.keep(first, record, TIMING)
    assert sharing.take_over(second, {**record, **other}) is None


def test_what_failed_is_run_again(places: tuple[Place, Place]) -> None:
    first, second = places
    record = executed(first, status="failed")
    sharing.keep(first, record, TIMING)
    assert sharing.take_over(second, record) is None


def test_an_execution_with_a_changed_file_is_forgotten(places: tuple[Place, Place]) -> None:
    first, second = places
    record = executed(first)
    sharing.keep(first, record, TIMING)
    (first.folder / "output" / "scores.txt").write_text("0.6\n")
    assert sharing.take_over(second, record) is None
    assert not list(sharing.FOLDER.glob("[0-9a-f]*"))


def test_what_a_killed_process_of_the_same_number_left_is_not_gone_on_with(
    places: tuple[Place, Place],
) -> None:
    """On another node, or in another container, one of this number may be at it right now."""
    first, second = places
    record = executed(first)
    left = sharing.FOLDER / f".{sharing.key_of(first, record)}.{os.getpid()}" / "output"
    left.mkdir(parents=True)
    (left / "scores.txt").write_text("0.")
    sharing.keep(first, record, TIMING)
    assert sharing.take_over(second, {**record, "files": {}}) == record["files"]
    assert (left / "scores.txt").read_text() == "0."


def test_two_that_find_a_changed_file_both_go_on(
    places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = places
    record = executed(first)
    sharing.keep(first, record, TIMING)

    def somebody_is_faster(path: Path, digest: str) -> bool:
        shutil.rmtree(path.parents[1])
        return False

    monkeypatch.setattr(sharing, "_is", somebody_is_faster)
    assert sharing.take_over(second, record) is None
    assert not [*sharing.FOLDER.iterdir()]


def test_who_comes_second_finds_the_first(places: tuple[Place, Place]) -> None:
    first, second = places
    sharing.keep(first, executed(first), TIMING)
    before = sorted(sharing.FOLDER.rglob("*"))
    sharing.keep(second, executed(second), {**TIMING, "wall_s": 9.0})
    assert sorted(sharing.FOLDER.rglob("*")) == before


def test_a_verdict_belongs_to_output_and_reference(places: tuple[Place, Place]) -> None:
    first, second = places
    record = executed(first)
    assert sharing.verdict_file(first, record) is None
    sharing.keep(first, record, TIMING)
    kept = sharing.verdict_file(first, record)
    assert kept is not None
    assert kept == sharing.verdict_file(second, record)
    assert sharing.verdict_file(second, {**record, "files": {"output/scores.txt": "x"}}) is None
    write_json(first.reference_folder / "record.json", {"files": {"a": "b"}})
    assert sharing.verdict_file(first, record) != kept


@dataclass
class CountingBench:
    """A bench that says what it is told to, and counts."""

    says: Evidence
    stage: str = "classify"
    tried: list[str] = field(default_factory=list)

    def try_solution(self, code: str) -> Evidence:
        self.tried.append(code)
        return self.says


def wrong(category: str) -> Evidence:
    return Evidence(
        ok=False, exception="KeyError", message="'x'", category=category, attribution="model"
    )


@pytest.mark.parametrize(
    ("says", "times"),
    [(Evidence(ok=True), 1), (wrong("incorrect branch name"), 1), (wrong("timeout"), 2)],
)
def test_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: Evidence, times: int) -> None:
    monkeypatch.chdir(tmp_path)
    bench = CountingBench(says)
    for _ in range(2):  # as two processes would
        assert KeptTries(bench, "inputs").try_solution("code") == says  # type: ignore[arg-type]
    assert len(bench.tried) == times
    KeptTries(bench, "other inputs").try_solution("code")  # type: ignore[arg-type]
    KeptTries(bench, "inputs").try_solution("other code")  # type: ignore[arg-type]
    assert len(bench.tried) == times + 2
    assert len(list(TRIES.glob("*.json"))) == (3 if times == 1 else 0)
