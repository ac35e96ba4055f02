"""The record: on disk at every step, resumed from any point, silent about secrets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agents.errors import TrajectoryError
from agents.limits import Limits
from agents.loop import solve
from agents.model import EndpointModel
from agents.outcome import Outcome
from agents.task import Task
from agents.trajectory import Trajectory, content_sha256, read_entries
from tests.agents.bench import (
    TASK,
    THREE_ROUNDS,
    TWO_ROUNDS,
    CountingModel,
    ObedientBench,
    scripted,
)
from tests.agents.conftest import KEY
from tests.agents.hostile import Endpoint, says, status

REPOSITORY = Path(__file__).resolve().parents[2]


def solved(model: CountingModel, path: Path, task: Task = TASK, seed: int = 3) -> Outcome:
    return solve(task, ObedientBench(), model, path, seed=seed)


def test_every_step_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.jsonl"
    solved(scripted(tmp_path / "script", *TWO_ROUNDS), path)
    entries = read_entries(path)
    ask, attempt = ["request", "reply"], ["candidate", "evidence"]
    round_ = [*ask, *attempt, *ask]
    assert [e.kind for e in entries] == ["start", *ask, *round_, *round_, "outcome"]
    start, request, reply, evidence = entries[0], entries[1], entries[2], entries[6]
    assert start.content["task_sha256"] == TASK.sha256
    assert start.content["models"]["coder"]["name"] == "scripted"
    assert start.content["limits"]["max_rounds"] == 3
    assert [m["role"] for m in request.content["messages"]] == ["system", "user"]
    assert request.content["seed"] != entries[3].content["seed"]
    assert reply.content["usage"] == {"prompt": 100, "completion": 10, "reasoning": 1}
    assert reply.content["finish_reason"] == "stop"
    assert evidence.content["exception"] == "KeyError"
    assert len(evidence.content["signature"]) == 16
    assert set(reply.circumstances) == {"at", "wall_s", "attempts", "request_id"}
    assert all("at" in entry.circumstances for entry in entries)
    assert not [e for e in entries if {"at", "wall_s", "request_id"} & set(e.content)]


def test_the_content_hash_ignores_times(tmp_path: Path) -> None:
    model = scripted(tmp_path / "script", *TWO_ROUNDS)
    for name in ("a", "b"):
        solved(model, tmp_path / name)
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()
    assert content_sha256(tmp_path / "a") == content_sha256(tmp_path / "b")
    solved(model, tmp_path / "c", seed=4)
    assert content_sha256(tmp_path / "c") != content_sha256(tmp_path / "a")


def cuts(content: bytes) -> list[int]:
    """Where a kill may cut the file: before every line, within it, and before its end."""
    found, start = [], 0
    for line in content.splitlines(keepends=True):
        end = start + len(line)
        found += [start, (start + end) // 2, end - 1]
        start = end
    return [*found, start]


def test_a_run_that_is_killed_anywhere_ends_the_same(tmp_path: Path) -> None:
    """Calls made after the cut plus calls on record are the calls of the undisturbed run."""
    model = scripted(tmp_path / "script", *THREE_ROUNDS)
    whole = tmp_path / "whole.jsonl"
    bench = ObedientBench()
    undisturbed = solve(TASK, bench, model, whole, seed=3)
    assert (len(model.asked), len(bench.tried)) == (9, 3)
    content, expected = whole.read_bytes(), content_sha256(whole)
    lines = set(content.splitlines())
    path = tmp_path / "cut.jsonl"
    for cut in cuts(content):
        path.write_bytes(content[:cut])
        kept = [json.loads(s)["kind"] for s in content[:cut].splitlines() if s in lines]
        model.asked.clear()
        bench.tried.clear()
        outcome = solve(TASK, bench, model, path, seed=3)
        assert outcome.content() == undisturbed.content(), cut
        assert len(model.asked) + kept.count("reply") == 9, cut
        assert len(bench.tried) + kept.count("evidence") == 3, cut
        assert content_sha256(path) == expected, cut


def test_a_process_that_is_really_killed_resumes(tmp_path: Path) -> None:
    scripted(tmp_path / "script", *THREE_ROUNDS)
    program = """
import os, signal, sys
from pathlib import Path
from agents.loop import solve
from agents.scripted import ScriptedModel
from tests.agents.bench import TASK, ObedientBench
folder = Path(sys.argv[1])
class Deadly(ObedientBench):
    def try_solution(self, code):
        if len(self.tried) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().try_solution(code)
solve(TASK, Deadly(), ScriptedModel([folder / "script"]), folder / "t.jsonl", seed=3)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=REPOSITORY)
    assert done.returncode == -signal.SIGKILL
    kinds = [entry.kind for entry in read_entries(tmp_path / "t.jsonl")]
    assert kinds[-1] == "candidate"
    assert kinds.count("reply") == 5
    model = scripted(tmp_path / "again", *THREE_ROUNDS)
    outcome = solved(model, tmp_path / "t.jsonl")
    assert outcome.rounds == 3
    assert len(model.asked) == 4


def test_a_finished_stage_asks_nobody_again(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    model = scripted(tmp_path / "script", *TWO_ROUNDS)
    first = solved(model, path)
    content = path.read_bytes()
    model.asked.clear()
    assert solved(model, path) == first
    assert model.asked == []
    assert path.read_bytes() == content


def test_a_repair_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    model = scripted(tmp_path / "script", *TWO_ROUNDS)
    solved(model, path)
    os.truncate(path, path.stat().st_size - 5)
    solved(model, path)
    kinds = [entry.kind for entry in read_entries(path)]
    assert kinds[-2:] == ["repair", "outcome"]


def test_damage_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    model = scripted(tmp_path / "script", *TWO_ROUNDS)
    solved(model, path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"\0\0\0\n", *lines[4:]]))
    with pytest.raises(TrajectoryError, match=r"expected a step in line 4 of .* delete it to"):
        solved(model, path)
    path.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    with pytest.raises(TrajectoryError, match=r"expected the step 'request' next .* 'reply'"):
        solved(model, path)


def test_another_task_is_not_resumed(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    model = scripted(tmp_path / "script", *TWO_ROUNDS)
    solved(model, path)
    with pytest.raises(TrajectoryError, match=r"task_sha256 was .* delete the file to begin anew"):
        solved(model, path, replace(TASK, purpose="Something else."))
    with pytest.raises(TrajectoryError, match="seed was '3' and is '4'"):
        solved(model, path, seed=4)
    with pytest.raises(TrajectoryError, match="limits was "):
        solve(TASK, ObedientBench(), model, path, seed=3, limits=Limits(max_rounds=9))


def test_a_message_that_differs_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with Trajectory(path) as first:
        first.record("request", {"messages": [{"role": "user", "content": "one apple"}]})
    with (
        Trajectory(path) as second,
        pytest.raises(TrajectoryError, match=r"message 1 \(user\) differs at character 4: exp.*"),
    ):
        second.record("request", {"messages": [{"role": "user", "content": "one pear"}]})


def test_two_cannot_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with Trajectory(path), pytest.raises(TrajectoryError, match="found another process at it"):
        Trajectory(path)
    with Trajectory(path) as free:
        assert not free.resumed


def test_the_key_is_in_no_file_of_a_run(
    tmp_path: Path,
    endpoint: Endpoint,
    model: Callable[..., EndpointModel],
    key_file: Path,
) -> None:
    """Even where the server repeats the key in replies and errors."""
    replies = [text for _, text in TWO_ROUNDS]
    endpoint.will(says(replies[0] + f" {KEY}", reasoning=KEY, id=KEY, model=KEY))
    endpoint.will(status(500, KEY.encode()))
    endpoint.will(*[says(f"{KEY} {text}") for text in replies[1:]])
    run = tmp_path / "run"
    made = model(api_key_file=str(key_file), slot_folder=run / "slots")
    outcome = solve(TASK, ObedientBench(), made, run / "trajectory.jsonl")
    assert outcome.accepted
    files = [path for path in run.rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:
        content = path.read_bytes().decode()
        assert KEY not in content
        assert json.dumps(KEY)[1:-1] not in content
        assert "all'keys" not in content
    assert b"[api key]" in (run / "trajectory.jsonl").read_bytes()
