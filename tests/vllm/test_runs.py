"""Whole runs against a real vLLM: random weights fail every stage, the one that knows them passes.

No model here is intelligent: the second one repeats a script, so its results say nothing of any.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agents.trajectory import read_entries
from pipeline.files import read_json
from pipeline.report.results import validate_results
from tests.command import SMALL_DATA, Ladon
from tests.vllm.conftest import MEMO
from tests.vllm.server import Vllm, serving

# Slow: tests/slurm/test_memo.py has a whole run against a real vLLM in every CI run.
pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.timeout(3600)]

STAGES = ["inspect", "convert", "preprocess", "classify", "categorize", "measure"]
ANSWERED_WITHIN_S = 1200.0


@dataclass(frozen=True)
class Interrupted:
    """A run whose server was killed at the first answer for convert, continued with a new one."""

    command: Ladon
    text: str
    """What it printed until it ended because of the kill."""
    recorded: Counter[str]
    """Steps of convert, by kind, that were recorded until then."""
    attribution: str
    """Whose fault the end was, as its record says."""


def at(server: Vllm) -> tuple[str, str]:
    """The overrides that say where the model is served."""
    return (f"model.base_url={server.base_url}", f"model.api_key_file='{server.key_file}'")


def kinds(trajectory: Path) -> Counter[str]:
    return Counter(entry.kind for entry in read_entries(trajectory))


@pytest.fixture(scope="module")
def interrupted(
    memo_model: Path, vllm_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Interrupted:
    """A run of the memo model that lost its server on the way, and went on with another."""
    room = tmp_path_factory.mktemp("memo run")
    command = Ladon(room)
    trajectory = room / "outputs" / "memo" / "dialogues" / "points" / "main" / "convert.jsonl"
    given = ("run", "run.name=memo", "model=memo", "model.max_retries=1", *SMALL_DATA)
    with serving(vllm_python, memo_model, MEMO, room / "first server") as server:
        child = command.start(*given, *at(server))
        try:
            wait_for_answer(trajectory, ANSWERED_WITHIN_S)
            server.kill()
            text, _ = child.communicate()
        finally:
            child.kill()
    assert child.returncode == 1, text
    recorded = kinds(trajectory)
    (told,) = (room / "outputs" / "memo" / "logs" / "errors").glob("solve-*.json")
    attribution = read_json(told)["attribution"]
    with serving(vllm_python, memo_model, MEMO, room / "second server", server.port) as server:
        command(*given, *at(server))
    return Interrupted(command, text, recorded, attribution)


def wait_for_answer(trajectory: Path, seconds: float) -> None:
    """Come back when the trajectory holds a reply; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (trajectory.exists() and b'"kind": "reply"' in trajectory.read_bytes()):
        assert time.monotonic() < deadline, f"no answer in {trajectory}"
        time.sleep(0.02)


def test_a_server_that_dies_ends_the_run_as_the_endpoints_failure(
    interrupted: Interrupted,
) -> None:
    assert interrupted.attribution == "endpoint"
    assert "expected an answer of http://127.0.0.1" in interrupted.text
    assert "(tried 2 times)" in interrupted.text
    assert "Traceback" not in interrupted.text
    assert interrupted.recorded["reply"] < 5
    assert interrupted.recorded["fault"] == 1


def test_the_run_goes_on_with_a_new_server_and_asks_nothing_twice(
    interrupted: Interrupted,
) -> None:
    point = interrupted.command.folder / "outputs" / "memo" / "points" / "main"
    found = kinds(point / "convert" / "trajectory.jsonl")
    assert found["reply"] == found["request"] == 5
    assert found["fault"] == interrupted.recorded["fault"]


def test_what_was_learned_by_heart_does_the_job(
    interrupted: Interrupted, scripted_run: Ladon
) -> None:
    found, expected = interrupted.command.results("memo"), scripted_run.results("small")
    validate_results(found)
    outcomes = {name: stage["outcome"] for name, stage in found["stages"].items()}
    assert outcomes == dict.fromkeys(STAGES, "passed")
    assert calls(found) == calls(expected)
    assert found["provenance"]["solutions"] == expected["provenance"]["solutions"]
    assert found["measurement"]["mu"] == expected["measurement"]["mu"]
    assert found["model"]["provider"] == "endpoint"


def test_no_key_is_written_down(interrupted: Interrupted) -> None:
    folder = interrupted.command.folder
    keys = [path.read_text() for path in folder.glob("* server/key")]
    assert len(keys) == 2
    written = [path.read_text(errors="replace") for path in _texts(folder / "outputs")]
    said = [interrupted.text, *written]
    assert not any(key in page for key in keys for page in said)


def test_random_weights_fail_every_stage_and_the_report_is_whole(
    random_server: Vllm, tmp_path: Path
) -> None:
    command = Ladon(tmp_path)
    command(
        "run", "run.name=noise", "model=random", "chain=isolated", *at(random_server), *SMALL_DATA
    )
    results = command.results("noise")
    validate_results(results)
    assert {name: s["outcome"] for name, s in results["stages"].items()} == dict.fromkeys(
        STAGES, "failed"
    )
    assert {s["failure"]["attribution"] for s in results["stages"].values()} == {"model"}
    assert {s["failure"]["category"] for s in results["stages"].values()} == {"length"}
    assert all(s["api_calls"] > 0 for s in results["stages"].values())
    assert results["measurement"] is None
    run = tmp_path / "outputs" / "noise"
    for attempts in run.glob("points/main/*/attempts.json"):
        assert read_json(attempts)["failure"]["attribution"] == "model"
    assert json.loads((run / "points/main/results.json").read_text()) == results
    assert list(run.rglob("*.html"))


def calls(results: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {name: (s["rounds"], s["api_calls"]) for name, s in results["stages"].items()}


def _texts(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in (".parquet", ".root", ".png", ".pdf"):
            yield path
