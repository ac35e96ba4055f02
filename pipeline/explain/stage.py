"""The story of one stage, put together from the files that it left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.explain.details import details
from pipeline.explain.files import StageFiles
from pipeline.explain.story import Spending, StageStory, State
from pipeline.judge.classification import failure_from_record
from pipeline.judge.verdict import Failure
from pipeline.workflow.layout import PointPlan


def story_of(run: Path, plan: PointPlan, stage: str) -> StageStory | None:
    """The story of a point's stage; None if it passed, or if nothing of it was begun."""
    files = StageFiles.read(run, f"points/{plan.name}", stage)
    state = _state(files)
    if state is None:
        return None
    attempts = files.attempts or {}
    if state == "failed" and files.attempts is None:
        files.remarks.append("attempts.json is not there: what its solution took is not known")
    if state == "failed" and plan.solver != "reference" and not files.dialogue.rounds:
        files.remarks.append("trajectory.jsonl holds no round: its dialogue cannot be shown")
    told = StageStory(
        plan.name,
        stage,
        state,
        happened="",
        failure=_failure(files, stage) if state == "failed" else None,
        cause=attempts.get("cause"),
        hint_violations=tuple(
            f"round {v.get('round', '?')}: {v.get('hint')}: {v.get('detail', '')}".rstrip(": ")
            for v in attempts.get("hint_violations", ())
        ),
        supervisor_errors=tuple(map(str, attempts.get("supervisor_errors", ()))),
        notes=tuple(map(str, attempts.get("notes", ()))),
        spent=_spent(attempts),
        where=files.where(stage, plan.name),
        remarks=tuple(files.remarks),
    )
    return replace(told, **details(files, state, told.failure))


def _state(files: StageFiles) -> State | None:
    if files.verdict is not None:
        outcome = files.verdict.get("outcome")
        return outcome if outcome in ("failed", "not_reached") else None
    if files.record is not None:
        status = files.record.get("status")
        if status == "ok":
            return "unfinished"
        return "failed" if status == "failed" else "not_reached"
    begun = files.attempts is not None or files.dialogue.rounds or files.dialogue.faults
    return "unfinished" if begun else None


def _failure(files: StageFiles, stage: str) -> Failure | None:
    """The failure as the judge, the loop or the execution left it, in this order."""
    for content in (files.verdict, files.attempts):
        told = (content or {}).get("failure")
        if told:
            return Failure(told["category"], told["attribution"], told["evidence"])
    return failure_from_record(files.record, stage) if files.record is not None else None


def _spent(attempts: dict[str, Any]) -> Spending | None:
    if not attempts:
        return None
    tokens = attempts.get("tokens") or {}
    return Spending(
        rounds=int(attempts.get("rounds", 0)),
        calls=int(attempts.get("api_calls", 0)),
        prompt_tokens=int(tokens.get("prompt", 0)),
        completion_tokens=int(tokens.get("completion", 0)),
        wall_s=float(attempts.get("wall_s", 0.0)),
    )
