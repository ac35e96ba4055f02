"""A recorded run runs again with the same bits, and says where another one would differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents.chat import Call, Message
from agents.errors import ReplayMismatch
from agents.loop import solve
from agents.replay import ReplayModel
from agents.trajectory import content_sha256
from tests.agents.bench import TASK, THREE_ROUNDS, ObedientBench, scripted


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """The trajectory of a run with three rounds."""
    path = tmp_path / "recorded.jsonl"
    solve(TASK, ObedientBench(), scripted(tmp_path / "script", *THREE_ROUNDS), path, seed=3)
    return path


def test_a_replay_has_the_same_bits(tmp_path: Path, recorded: Path) -> None:
    first = solve(TASK, ObedientBench(), ReplayModel(recorded), tmp_path / "1", seed=3)
    again = solve(TASK, ObedientBench(), ReplayModel(tmp_path / "1"), tmp_path / "2", seed=3)
    assert first.content() == again.content()
    assert first.code == "# ok\nimport numpy\n"
    hashes = {content_sha256(path) for path in (recorded, tmp_path / "1", tmp_path / "2")}
    assert len(hashes) == 1


def test_another_prompt_is_a_mismatch(tmp_path: Path, recorded: Path) -> None:
    other = replace(TASK, purpose=TASK.purpose.replace("GeV", "MeV"))
    with pytest.raises(ReplayMismatch, match=r"call 1 \(supervisor\) .* message 2 \(user\)") as e:
        solve(other, ObedientBench(), ReplayModel(recorded), tmp_path / "1", seed=3)
    assert "in GeV" in str(e.value)
    assert "in MeV" in str(e.value)


def test_another_seed_is_a_mismatch(tmp_path: Path, recorded: Path) -> None:
    with pytest.raises(ReplayMismatch, match=r"seed was \d+ and is \d+"):
        solve(TASK, ObedientBench(), ReplayModel(recorded), tmp_path / "1", seed=4)


def test_a_call_that_was_not_made(recorded: Path) -> None:
    model = ReplayModel(recorded)
    call = Call("convert", "coder", 4, 10)
    with pytest.raises(ReplayMismatch, match=r"expected call 10 \(coder\) among the 9 recorded"):
        model.complete((Message("user", "?"),), seed=1, call=call)
    with pytest.raises(ReplayMismatch, match="expected a call among"):
        model.complete((Message("user", "?"),), seed=1)


def test_a_stage_of_the_reference_has_nothing_to_replay(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.jsonl"
    path.write_text("")
    with pytest.raises(ReplayMismatch, match="only stages that a model solved"):
        ReplayModel(path)
