"""Why a cell failed, or was not rated at all: verdicts, records, and what failed steps said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.evaluation.cell import Cell, CellFailure
from pipeline.files import read_json

ERRORS = Path("logs") / "errors"
"""Where `pipeline.steps.errors` keeps the sentences of steps that ended in an error."""
DIALOGUES = Path("dialogues")
"""Where trajectories grow; one that ends in a fault waits for its endpoint or its machine."""


def failure_of(
    verdict: Mapping[str, Any], attempts: Mapping[str, Any], record: Mapping[str, Any]
) -> CellFailure | None:
    """The failure of a judged cell; that of the data where an incomplete sample blocked it.

    Where the category says how the loop ended, the cause is that of the last error.
    """
    failure = verdict.get("failure")
    if failure is None:
        if record.get("status") == "blocked":
            reason = str(record.get("reason") or "")
            return CellFailure("bad input", "bad input", "data", reason)
        return None
    category, cause = str(failure["category"]), attempts.get("cause")
    unsolved = attempts.get("failure") or {}
    of_the_loop = cause is not None and unsolved.get("category") == category
    return CellFailure(
        category, str(cause) if of_the_loop else category, failure["attribution"],
        failure["evidence"],
    )  # fmt: skip


def fault_of(run: Path, point: str, stage: str) -> CellFailure | None:
    """What stopped a cell that has no verdict: nobody's result, and never the model's failure.

    None where nothing is known: it has not begun, or is under way.
    """
    owner = f"points-{point}"
    for step, of in (("solve", owner), ("adopt", owner), ("execute", owner), ("judge", point)):
        path = run / ERRORS / f"{step}-{of}-{stage}.json"
        if path.is_file():
            told = read_json(path)
            attribution = told.get("attribution") or "harness"
            category = told.get("category") or f"{attribution} error"
            return _unrated(category, attribution, str(told.get("sentence", "")))
    last = _last_line(run / DIALOGUES / "points" / point / f"{stage}.jsonl")
    if last.get("kind") != "fault":
        return None
    attribution = str(last.get("attribution") or "harness")
    return _unrated(f"{attribution} error", attribution, str(last.get("message", "")))


def inherited(before: Sequence[Cell]) -> CellFailure | None:
    """Why a stage was not reached, where that is not the model's doing; None where it is.

    `before` are the earlier cells of the same point.
    """
    for cell in reversed(before):
        failure = cell.failure
        if cell.outcome in ("failed", "missing") and failure is not None:
            if failure.counts:
                return None
            said = f"stage {cell.stage} before it: {failure.evidence}"
            return CellFailure(failure.category, failure.cause, failure.attribution, said)
    return None


def _unrated(category: str, attribution: str, evidence: str) -> CellFailure:
    """A fault of a step; what a step cannot do is never attributed to the model."""
    whose = "harness" if attribution == "model" else attribution
    return CellFailure(category, category, whose, evidence)


def _last_line(path: Path) -> dict[str, Any]:
    """The last whole line of a trajectory; nothing if there is none.

    A fault is a short line: the end of the file is enough.
    """
    try:
        with path.open("rb") as handle:
            size = handle.seek(0, 2)
            handle.seek(max(0, size - 65_536))
            end = handle.read()
    except FileNotFoundError:
        return {}
    line = end.rstrip(b"\n").rpartition(b"\n")[2]
    try:
        content = json.loads(line)
    except ValueError:  # a long line of which this is the end, or one that is being written
        return {}
    return content if isinstance(content, dict) else {}
