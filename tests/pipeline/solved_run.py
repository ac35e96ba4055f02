"""Small run directories whose stages were solved by the real loop, with scripted replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.evidence import Evidence
from agents.limits import Limits
from agents.loop import solve
from agents.outcome import Outcome
from agents.scripted import ScriptedModel
from agents.task import Task
from pipeline.files import sha256_file, write_json
from pipeline.judge.verdict import Check, Failure, GuardCheck, Verdict, write_verdict
from tests.agents.bench import CODER, SUPERVISOR, CountingModel, instructs, reviews, script

STAGES = ("inspect", "convert", "preprocess")
FILES = "0123456789abcdef"
OK = Evidence(ok=True, stdout="39 rows")
INSTRUCTS = (SUPERVISOR, instructs("read the photons", "sort by pt"))
ACCEPTS = (SUPERVISOR, reviews("accept", "as it should be"))
REVISES = (SUPERVISOR, reviews("revise", "it does not run"))


def module(*lines: str) -> tuple[str, str]:
    """A coder's reply with a module of these lines."""
    return CODER, "\n".join(["```python", *lines, "```"])


@dataclass
class ToldBench:
    """A bench that gives back the evidence it was told, in order; it runs nothing."""

    evidence: list[Evidence] = field(default_factory=list)

    def try_solution(self, code: str) -> Evidence:
        return self.evidence.pop(0)


@dataclass(frozen=True)
class SolvedRun:
    """A run of one point, `main`, whose stages are written one by one."""

    path: Path
    stages: tuple[str, ...] = STAGES

    def begin(self, solver: str = "agent") -> SolvedRun:
        """Write sweep.json and the fileset."""
        plan = {
            "reference": "5bba0a59ab33412b", "fileset": FILES, "stages": list(self.stages),
            "channel_stages": list(self.stages), "chain": "chained", "solver": solver,
            "synthetic": False, "workers": 2,
        }  # fmt: skip
        write_json(
            self.path / "sweep.json",
            {"schema": 1, "run": self.path.name, "points": ["main"], "stages": list(self.stages),
             "solver": solver, "plan": {"main": plan}, "settings_sha256": {"main": "0" * 64}},
        )  # fmt: skip
        place = str(self.path)
        write_json(self.path / "fileset" / f"{FILES}.json", {"schema": 1, "location": place})
        return self

    def folder(self, stage: str) -> Path:
        return self.path / "points" / "main" / stage

    def solve(
        self,
        stage: str,
        replies: Sequence[tuple[str, str]],
        evidence: Sequence[Evidence],
        limits: Limits | None = None,
    ) -> Outcome:
        """Have the loop solve a stage; what solving and freezing leave is written."""
        replied = script(self.path.parent / f"{self.path.name} {stage}", *replies, stage=stage)
        model = CountingModel(ScriptedModel([replied]))
        outcome = solve(
            Task(stage, f"Solve {stage}.", "def f(x)"), ToldBench(list(evidence)), model,
            self.folder(stage) / "trajectory.jsonl", limits=limits,
        )  # fmt: skip
        write_json(self.folder(stage) / "attempts.json", outcome.to_attempts())
        code = outcome.code or "# nothing was accepted\n"
        (self.folder(stage) / "solution.py").write_text(code, encoding="utf-8")
        return outcome

    def record(self, stage: str, **changed: Any) -> None:
        """Write record.json as execute does."""
        folder = self.folder(stage)
        files = {
            p.relative_to(folder).as_posix(): sha256_file(p)
            for part in ("output", "sealed")
            for p in sorted((folder / part).rglob("*"))
            if p.is_file()
        }
        base = {
            "schema": 1, "stage": stage, "status": "ok", "reason": None, "failure": None,
            "solution_sha256": sha256_file(folder / "solution.py"), "inputs_sha256": "0" * 64,
            "files": files,
        }  # fmt: skip
        write_json(folder / "record.json", {**base, **changed})

    def passed(self, stage: str) -> None:
        """A stage that was accepted in the first round, run, and judged to be exact."""
        self.solve(stage, [INSTRUCTS, module("def f(x):", "    return x"), ACCEPTS], [OK])
        self.record(stage)
        self.accepted(stage)

    def accepted(self, stage: str) -> None:
        """The verdict of a stage that agrees with the reference bit for bit."""
        checks = (Check("rows agree", True, 39, 39, rung="exact"),)
        write_verdict(
            self.folder(stage) / "verdict.json", Verdict(stage, "passed", "exact", checks)
        )

    def judged(
        self,
        stage: str,
        failure: Failure,
        checks: Sequence[Check] = (),
        guard: Sequence[GuardCheck] = (),
    ) -> None:
        """The verdict of a failed stage."""
        verdict = Verdict(stage, "failed", None, tuple(checks), tuple(guard), failure)
        write_verdict(self.folder(stage) / "verdict.json", verdict)

    def not_reached(self, stage: str, before: str) -> None:
        """A stage whose input never came."""
        self.folder(stage).mkdir(parents=True)
        (self.folder(stage) / "solution.py").write_text("# nothing to read\n", encoding="utf-8")
        reason = f"stage {before} before it has no output"
        self.record(stage, status="not_reached", reason=reason)
        write_verdict(self.folder(stage) / "verdict.json", Verdict(stage, "not_reached"))

    def finish(self) -> None:
        """Write what the graph ends with, so that no file is missing."""
        reference = self.path / "reference" / "5bba0a59ab33412b"
        for stage in self.stages:
            write_json(reference / stage / "record.json", {"schema": 1, "status": "ok"})
        write_json(self.path / "points" / "main" / "results.json", {"schema": 1})
        (self.path / "report.html").write_text("<p>", encoding="utf-8")
