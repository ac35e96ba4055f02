"""Each script that fails does so in the way its README says, in the loop and on the real bench."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agents.limits import Limits as LoopLimits
from agents.loop import solve
from agents.outcome import Outcome
from agents.scripted import ScriptedModel
from agents.task import Task
from executors.sandbox import Limits, named
from pipeline.bench import StageBench
from pipeline.scripted.scripts import HERE, folders
from pipeline.stages.jail import Jail
from pipeline.stages.trial import Slice
from tests.pipeline.scripted.random_events import random_events
from tests.pipeline.scripted.replies import FAILING
from tests.pipeline.stages.tables import Chain


def said(script: str) -> dict[str, str]:
    text = (HERE / script / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^- ([a-z ]+): (.+)$", text, re.MULTILINE))


def outcome(script: str, chain: Chain, folder: Path, rounds: int) -> Outcome:
    stage, settings = said(script)["stage"], chain.settings
    jail = Jail(named("auto", Limits(wall_s=4 if script == "sleeps" else 60, memory_mb=1_200)))
    bench = StageBench(stage, chain.context(stage), jail)
    if stage == "convert":  # the chain begins after it
        events = random_events(settings, 300, seed=3)
        bench._slices.append(Slice("random events", {"events": events, "channel": "hyy"}))
    model = ScriptedModel(folders(script, "hyy", settings.data.release), script)
    task = Task(stage=stage, purpose="as the script has it", contract="that of the stage")
    return solve(task, bench, model, folder / "t.jsonl", limits=LoopLimits(max_rounds=rounds))


@pytest.mark.parametrize("script", FAILING)
def test_it_fails_as_its_readme_says(script: str, chains: dict[str, Chain], tmp_path: Path) -> None:
    found = outcome(script, chains["hyy"], tmp_path, rounds=1)
    assert (found.status, found.stopped, found.code) == ("failed", "max_rounds", None)
    assert found.failure is not None
    assert found.failure.category == said(script)["category"]
    assert found.failure.attribution == "model"


@pytest.mark.parametrize(("script", "category", "cause"), [
    ("wrong_branch", "no progress", "incorrect branch name"),
    ("wrong_call", "no progress", "function-calling error"),
    ("cut_reply", "length", None),
    ("refuses", "refusal", None),
])  # fmt: skip
def test_three_equal_rounds(
    script: str, category: str, cause: str | None, chains: dict[str, Chain], tmp_path: Path
) -> None:
    found = outcome(script, chains["hyy"], tmp_path, rounds=3)
    assert (found.stopped, found.rounds) == ("no_progress", 3)
    assert found.failure is not None
    assert (found.failure.category, found.failure.cause) == (category, cause)
