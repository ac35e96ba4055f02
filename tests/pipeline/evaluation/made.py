"""Small run folders of sweeps, made of JSON: what the graph would leave, without running it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from agents.chat import Message, Reply, Usage
from agents.evidence import Evidence, Finding
from agents.trajectory import Entry
from pipeline.configure import configure
from pipeline.evaluation.cell import Cell, CellFailure, Outcome
from pipeline.files import sha256_json, write_json
from pipeline.settings import to_dict

CHANNEL_STAGES = ("inspect", "convert", "preprocess", "classify", "categorize", "measure")
REFERENCE = "0123456789abcdef"
FILESET = "fedcba9876543210"
EXPECTED = {"convert": 1000.0, "classify": 0.75, "categorize": 1.5, "measure": 1.0}
"""The reference's selected events, AUC, significance and mu."""


@dataclass(frozen=True)
class MadeStage:
    """What became of one stage; the default passed with the reference's result in one round."""

    outcome: Outcome = "passed"
    rung: str = "exact"
    category: str = "semantic error"
    cause: str | None = None
    """Where `category` says how the loop ended."""
    attribution: str = "model"
    frozen: bool = True
    """Of a failed stage: whether a module was accepted (and the judge refused it)."""
    rounds: int = 1
    accepted: int | None = None
    """The round whose module is frozen; None for the last one."""
    tokens: tuple[int, int] = (3000, 600)
    agent_s: float = 10.0
    execute_s: float = 2.0
    cost: float = 0.0
    hint_violations: int = 0
    code: str = "def solve(events):\n    return events\n"
    output: str = "right"
    """Two stages with the same text have the same output."""
    taken_over: bool = False
    value: float | None = None
    """Quantity of the output; None for the reference's."""

    @property
    def calls(self) -> int:
        """An instruction, then a module and a review per round; after a last failed round none."""
        if self.outcome in ("not_reached", "missing", "reference"):
            return 0
        return 2 * self.rounds + (1 if self.has_code else 0)

    @property
    def has_code(self) -> bool:
        return self.outcome == "passed" or (self.outcome == "failed" and self.frozen)

    @property
    def accepted_round(self) -> int | None:
        return (self.accepted or self.rounds) if self.has_code else None


PASSED = MadeStage()
FAILED = MadeStage(outcome="failed", rounds=3)
UNSOLVED = MadeStage(
    outcome="failed", rounds=3, category="no progress", cause="incorrect branch name", frozen=False
)
NOT_REACHED = MadeStage(outcome="not_reached")
MISSING = MadeStage(outcome="missing")


@dataclass(frozen=True)
class MadePoint:
    """One point: the stages by name, and what was swept besides model and trial."""

    model: str
    trial: int
    stages: Mapping[str, MadeStage]
    chain: str = "isolated"
    choices: Mapping[str, str] = field(default_factory=dict)
    solver: str = "agent"
    provider: str = "scripted"
    prices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        words = [self.model, *self.choices.values(), f"t{self.trial}"]
        return "-".join(word.replace("=", "").replace("/", "") for word in words)


def grid(
    passes: Mapping[str, Mapping[str, int]],
    trials: int,
    failed: MadeStage = FAILED,
    **about: Any,
) -> tuple[MadePoint, ...]:
    """Points of `model -> stage -> passes`: of `trials` trials the first so many pass a stage."""
    return tuple(
        MadePoint(
            model, trial, {s: PASSED if trial < k else failed for s, k in stages.items()}, **about
        )
        for model, stages in passes.items()
        for trial in range(trials)
    )


def write_sweep(
    run: Path, points: Sequence[MadePoint], servers: Mapping[str, Any] | None = None
) -> Path:
    """A run folder with these points; `run` itself."""
    write_json(run / "sweep.json", _sweep(run.name, points))
    if servers is not None:
        write_json(run / "servers.json", servers)
    stages = {stage for point in points for stage in point.stages}
    for stage in sorted(stages):
        _write_reference(run / "reference" / REFERENCE / stage, stage)
    for point in points:
        write_json(run / "points" / point.name / "settings.json", _settings(point))
        for stage, made in point.stages.items():
            _write_stage(run, point.name, stage, made)
    return run


def made_cell(**changes: Any) -> Cell:
    """A cell that passed exactly, with changes."""
    plain = Cell(
        point="p", stage="convert", model="m", setting="", trial=0, scripted=True,
        outcome="passed", rung="exact", failure=None, rounds=1, api_calls=3, calls_lost=0,
        prompt_tokens=3000, completion_tokens=600, agent_s=10.0, execute_s=2.0, cost=None,
        gpu_s=None, energy_j=None, hint_violations=0, code_sha256="c" * 64,
        output_sha256="d" * 64, shared=False, quantities={}, reference={},
    )  # fmt: skip
    return replace(plain, **changes)


def failed_cell(
    category: str = "semantic error",
    attribution: str = "model",
    cause: str | None = None,
    **changes: Any,
) -> Cell:
    """A cell that failed, with changes."""
    failure = CellFailure(category, cause or category, attribution, "said so")
    given = {"rung": None, "failure": failure, "calls_lost": 3, **changes}
    return made_cell(outcome="failed", **given)


def outcomes(passed: Sequence[bool], **changes: Any) -> tuple[Cell, ...]:
    """A cell per trial, from 0: passed or failed."""
    return tuple(
        made_cell(trial=t, **changes) if ok else failed_cell(trial=t, **changes)
        for t, ok in enumerate(passed)
    )


def _sweep(name: str, points: Sequence[MadePoint]) -> dict[str, Any]:
    stages = [s for s in CHANNEL_STAGES if any(s in point.stages for point in points)]
    return {
        "schema": 1,
        "run": name,
        "points": [point.name for point in points],
        "stages": stages,
        "solver": "agent",
        "plan": {point.name: _plan(point) for point in points},
        "choices": {p.name: {"model": p.model, "trial": str(p.trial), **p.choices} for p in points},
        "launch": {"allocation": "", "python": "python"},
        "settings_sha256": {p.name: sha256_json(p.name) for p in points},
    }


def _plan(point: MadePoint) -> dict[str, Any]:
    return {
        "chain": point.chain,
        "channel_stages": list(CHANNEL_STAGES),
        "fileset": FILESET,
        "reference": REFERENCE,
        "solver": point.solver,
        "stages": list(point.stages),
        "synthetic": True,
        "workers": 1,
    }


@cache
def _base() -> dict[str, Any]:
    return to_dict(configure(["model=scripted", "solver=agent", "run.name=made"]))


def _settings(point: MadePoint) -> dict[str, Any]:
    base = _base()
    model = {**base["model"], "name": point.model, "provider": point.provider}
    model["prices"] = {**model["prices"], **point.prices}
    return {
        **base,
        "model": model,
        "solver": {**base["solver"], "name": point.solver},
        "stages": list(point.stages),
        "chain": point.chain,
        "trial": point.trial,
    }


def _write_reference(folder: Path, stage: str) -> None:
    _write_output(folder, stage, EXPECTED.get(stage))
    write_json(folder / "record.json", _record(stage, PASSED, "ok"))


def _write_stage(run: Path, point: str, stage: str, made: MadeStage) -> None:
    folder = run / "points" / point / stage
    if made.outcome == "missing":
        return
    write_json(folder / "attempts.json", _attempts(stage, made))
    lines = b"".join(entry.line for entry in _dialogue(stage, made))
    (folder / "trajectory.jsonl").write_bytes(lines)
    write_json(folder / "verdict.json", _verdict(stage, made))
    if made.outcome == "not_reached":
        write_json(folder / "record.json", _record(stage, made, "not_reached"))
        return
    write_json(folder / "record.json", _record(stage, made, "ok" if made.has_code else "failed"))
    timing = {"wall_s": made.execute_s, "taken_over": made.taken_over}
    write_json(folder / "timing.json", {**timing, "cpu_s": made.execute_s, "max_rss_mb": 100.0})
    if made.has_code:
        (folder / "solution.py").write_text(made.code, encoding="utf-8")
        frozen = run / "solutions" / f"{_sha256(made.code)}.py"
        frozen.parent.mkdir(exist_ok=True)
        frozen.write_text(made.code, encoding="utf-8")
        _write_output(folder, stage, EXPECTED.get(stage) if made.value is None else made.value)


def _write_output(folder: Path, stage: str, value: float | None) -> None:
    if value is None:
        return
    if stage == "convert":
        flow = {"mc": [["all", 2 * int(value)], ["mass", int(value)]]}
        write_json(folder / "output" / "cutflow.json", flow)
    elif stage == "categorize":
        found = {"boundaries": [0.9], "significances": [value], "combined": value}
        write_json(folder / "output" / "categories.json", found)
    elif stage == "measure":
        write_json(folder / "sealed" / "measurement.json", {"mu": value, "mu_err": [-0.2, 0.2]})


def _failure(made: MadeStage) -> dict[str, Any] | None:
    if made.outcome != "failed":
        return None
    evidence = f"expected 1000 rows, found {made.output!r}"
    return {"category": made.category, "attribution": made.attribution, "evidence": evidence}


def _attempts(stage: str, made: MadeStage) -> dict[str, Any]:
    asked = made.calls > 0
    return {
        "schema": 1,
        "solver": "agent",
        "stage": stage,
        "status": "accepted" if made.has_code else "failed",
        "stopped": "accepted" if made.has_code else "no_progress",
        "rounds": made.rounds if asked else 0,
        "api_calls": made.calls,
        "tokens": dict(
            zip(("prompt", "completion"), made.tokens if asked else (0, 0), strict=True)
        ),
        "reasoning_tokens": 0,
        "code_sha256": _sha256(made.code) if made.has_code else None,
        "failure": None if made.has_code else _failure(made),
        "cause": made.cause,
        "wall_s": made.agent_s if asked else 0.0,
        "cost": made.cost if asked else 0.0,
        "hint_violations": [
            {"hint": "units", "detail": "MeV", "round": 1} for _ in range(made.hint_violations)
        ],
        "supervisor_errors": [],
        "notes": [],
    }


def _record(stage: str, made: MadeStage, status: str) -> dict[str, Any]:
    ran = status == "ok"
    return {
        "schema": 1,
        "stage": stage,
        "status": status,
        "reason": "stage convert before it has no output" if status == "not_reached" else None,
        "failure": None if ran else _failure(made),
        "solution_sha256": _sha256(made.code),
        "inputs_sha256": "",
        "files": {"output/table.parquet": _sha256(made.output)} if ran else {},
    }


def _verdict(stage: str, made: MadeStage) -> dict[str, Any]:
    passed = made.outcome == "passed"
    check = {"detail": "", "expected": "the same bits", "found": "the same bits" if passed else
             "other bits", "name": "rows", "passed": passed, "rung": "exact"}  # fmt: skip
    checks = [check]
    if stage == "classify" and made.has_code:
        right = EXPECTED["classify"]
        area = right if made.value is None else made.value
        checks.append({**check, "name": "area under the ROC curve", "expected": right,
                       "found": area, "rung": "physics"})  # fmt: skip
    guard = {"name": "rows dropped", "passed": True, "expected": 9, "found": 9, "detail": ""}
    return {
        "schema": 1,
        "stage": stage,
        "outcome": made.outcome,
        "rung": made.rung if passed else None,
        "checks": checks if made.has_code else [],
        "guard": [guard] if made.has_code else [],
        "failure": _failure(made),
    }


def _dialogue(stage: str, made: MadeStage) -> Iterator[Entry]:
    """The steps of a stage's rounds, as agents.loop records them."""
    if not made.calls:
        return
    identity = {"name": "scripted:made", "revision": None, "sampling": {}, "scripted": True}
    at = {"at": "2026-01-01T00:00:00.000+00:00"}
    models = {"supervisor": identity, "coder": identity}
    yield Entry("start", {"schema": 1, "stage": stage, "models": models, "seed": 1}, at)
    number = 0

    def asked(role: str, this: int, text: str) -> Iterator[Entry]:
        nonlocal number
        number += 1
        message = Message("user", f"{role}, {stage}, round {this}")
        yield Entry("request", {"stage": stage, "role": role, "round": this, "number": number,
                    "seed": number, "messages": [vars(message)], "schema": None}, at)  # fmt: skip
        content, about = Reply(text, "stop", "scripted:made", usage=Usage(1, 1)).to_record()
        yield Entry("reply", content, {**about, **at})

    yield from asked("supervisor", 1, '{"instructions": ["Keep the rows."], "pitfalls": []}')
    for this in range(1, made.rounds + 1):
        good = this == made.accepted_round
        code = made.code if good else f"{made.code}# round {this}\n"
        yield from asked("coder", this, f"```python\n{code}```")
        yield Entry("candidate", {"round": this, "code": code, "code_sha256": _sha256(code)}, at)
        finding = Finding("rows", good, "1000", "1000" if good else f"{this}")
        told = Evidence(
            ok=good, findings=(finding,), category=None if good else made.cause or made.category,
            attribution=None if good else "model",
        )  # fmt: skip
        yield Entry("evidence", told.to_dict(), {"wall_s": 1.0, **at})
        if this < made.rounds or made.has_code:
            decision = "accept" if good and this == made.rounds else "revise"
            said = f'{{"decision": "{decision}", "reasons": ["Rows."], "instructions": []}}'
            yield from asked("supervisor", this, said)
    outcome = {"stage": stage, "rounds": made.rounds, "api_calls": made.calls}
    yield Entry("outcome", outcome, {"wall_s": made.agent_s, "cost": made.cost, **at})


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
