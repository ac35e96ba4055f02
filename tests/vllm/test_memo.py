"""The model that learns by heart: taught a script's dialogues, served by vLLM, it does the job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents.loop import solve
from agents.model import EndpointModel
from agents.outcome import Outcome
from agents.scripted import ScriptedModel
from agents.trajectory import read_entries
from tests.agents.bench import (
    CODER,
    SUPERVISOR,
    TASK,
    TWO_ROUNDS,
    ObedientBench,
    instructs,
    reviews,
    writes,
)
from tests.agents.bench import script as write_script
from tests.vllm.conftest import MEMO, Program
from tests.vllm.server import serving

# CI has it served too, for a whole sweep: tests/slurm/test_sweep.py.
pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.timeout(1800)]

WITH_REPAIR = (
    (SUPERVISOR, instructs("fit the signal", "say it in μ, not in events")),
    (CODER, "I forgot the block."),
    (CODER, writes("fails: ValueError: found 38 rows", "It's “done”:\tα ≤ 1.")),
    (SUPERVISOR, reviews("revise", "one row is lost")),
    (CODER, writes("ok", "All rows now.")),
    (SUPERVISOR, reviews("accept", "every row is there")),
)
SCRIPTS = {"convert": TWO_ROUNDS, "measure": WITH_REPAIR}
TASKS = {stage: replace(TASK, stage=stage) for stage in SCRIPTS}


def replies(path: Path) -> list[str]:
    return [entry.content["text"].strip() for entry in read_entries(path) if entry.kind == "reply"]


def record(folder: Path) -> dict[str, Outcome]:
    """Have the scripts solved in `folder`: one trajectory per stage."""
    outcomes = {}
    for stage, script in SCRIPTS.items():
        path = folder / f"{stage}.jsonl"
        model = ScriptedModel((write_script(folder / "script", *script, stage=stage),))
        outcomes[stage] = solve(TASKS[stage], ObedientBench(), model, path)
    return outcomes


def test_it_solves_what_the_script_solved(
    memo_program: Program, vllm_python: Path, tmp_path: Path
) -> None:
    expected = record(tmp_path / "recorded")
    trajectories = [str(tmp_path / "recorded" / f"{stage}.jsonl") for stage in SCRIPTS]
    learned = memo_program(
        "train.py", "--dialogues", *trajectories, "--output", str(tmp_path / "model")
    )
    assert learned.returncode == 0, learned.stderr
    assert "11 dialogues of" in learned.stdout
    assert "learned in" in learned.stdout

    again = memo_program("train.py", "--dialogues", *trajectories)
    assert again.returncode == 0, again.stderr
    assert "11 dialogues were learned before" in again.stdout
    cached = Path(again.stdout.splitlines()[-1])
    assert sorted(p.name for p in cached.iterdir()) == sorted(
        p.name for p in (tmp_path / "model").iterdir()
    )

    with serving(vllm_python, tmp_path / "model", MEMO, tmp_path / "room") as server:
        for stage, script in SCRIPTS.items():
            path = tmp_path / f"{stage}.jsonl"
            with EndpointModel(server.spec(max_tokens=4096)) as model:
                outcome = solve(TASKS[stage], ObedientBench(), model, path)
            assert outcome.accepted
            assert outcome.code == expected[stage].code
            assert outcome.api_calls == expected[stage].api_calls == len(script)
            assert replies(path) == [text.strip() for _, text in script]
            assert outcome.supervisor_errors == ()


def test_two_replies_to_one_prompt_cannot_be_learned(memo_program: Program, tmp_path: Path) -> None:
    record(tmp_path)
    one = (tmp_path / "convert.jsonl").read_text()
    other = tmp_path / "other.jsonl"
    other.write_text(one.replace("read the photons", "read the leptons"))
    refused = memo_program("train.py", "--dialogues", str(tmp_path / "convert.jsonl"), str(other))
    assert refused.returncode == 1
    assert "found two that look the same to the model and have different replies" in refused.stderr
    assert "other.jsonl', line 3" in refused.stderr


def test_a_reply_that_was_cut_cannot_be_learned(memo_program: Program, tmp_path: Path) -> None:
    record(tmp_path)
    path = tmp_path / "convert.jsonl"
    path.write_text(
        path.read_text().replace('"finish_reason": "stop"', '"finish_reason": "length"')
    )
    refused = memo_program("train.py", "--dialogues", str(path))
    assert refused.returncode == 1
    assert "expected a complete reply with a text, found one of" in refused.stderr
