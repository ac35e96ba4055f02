"""A small analysis whose reference is made once, and scripts that go through its real steps."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.configure import configure
from pipeline.files import read_json
from pipeline.scripted.truth import DATA
from pipeline.stages.convert import warm
from pipeline.steps import execute, judge, solve
from tests.hostile.chain import Chain


@dataclass(frozen=True)
class Found:
    """What became of a script in a stage."""

    attempts: Mapping[str, Any]
    record: Mapping[str, Any]
    verdict: Mapping[str, Any]
    start: Mapping[str, Any]
    """The first line of the trajectory."""
    seconds: float

    def cell(self) -> dict[str, Any]:
        """The same members as an expected result has, from the files of the run."""
        failure = self.verdict["failure"] or {}
        hints = tuple(sorted({v["hint"] for v in self.attempts["hint_violations"]}))
        failed = self.verdict["outcome"] == "failed"
        return {
            "outcome": self.verdict["outcome"],
            "rung": self.verdict["rung"],
            "category": failure.get("category"),
            "cause": self.attempts["cause"],
            "attribution": failure.get("attribution"),
            "rounds": self.attempts["rounds"],
            "api_calls": self.attempts["api_calls"],
            "found_by": ("bench" if self.attempts["failure"] else "judge") if failed else None,
            "hints": hints,
        }


@dataclass(frozen=True)
class Course:
    """The analysis for which the truth of `pipeline.scripted.truth` holds."""

    chain: Chain

    @classmethod
    def make(cls, outputs: Path) -> Course:
        """Synthetic files, and what our own solutions make of them."""
        settings = configure([
            *DATA, "site.executor=inline", f"run.outputs={outputs}", "run.name=course",
        ])  # fmt: skip
        return cls(Chain.of(settings, outputs, later=("measure",)))

    def take(self, script: str, stage: str, trial: int = 0) -> Found:
        """Have a script, or a skill's, write a stage; run it over everything, and judge it."""
        point = f"{script}-{trial}"
        given = self.chain.settings
        model = replace(given.model, script=script)
        self.chain.add(point, replace(given, model=model, trial=trial))
        folder = self.chain.folder / "points" / point / stage
        owner, began = f"points/{point}", time.monotonic()
        try:
            self.chain.step(solve, "--owner", owner, "--stage", stage)
            if read_json(folder / "attempts.json")["failure"] is None:
                self.chain.refer(stage)  # a fit takes long, and is only needed to judge one
            self.chain.step(execute, "--owner", owner, "--stage", stage)
            self.chain.step(judge, "--point", point, "--stage", stage)
        finally:
            warm._close_all()  # what a worker of execute does when it ends
        told = {
            name: read_json(folder / f"{name}.json") for name in ("attempts", "record", "verdict")
        }
        with (folder / "trajectory.jsonl").open(encoding="utf-8") as lines:
            start = json.loads(lines.readline())
        return Found(**told, start=start, seconds=time.monotonic() - began)
