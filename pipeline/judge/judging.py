"""The judge's door: one stage's output in, one verdict out."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace

from pipeline.judge.classification import classify_checks, failure_from_record
from pipeline.judge.request import JudgeRequest
from pipeline.judge.verdict import Check, GuardCheck, Verdict, failed_requirements, rung_reached


class JudgeError(ValueError):
    """A stage cannot be judged: its record or its name is not what the judge knows."""


def judge(request: JudgeRequest) -> Verdict:
    """The verdict on one stage of one point.

    A stage whose inputs never came (`not_reached`, or `blocked` by an incomplete sample) is not
    judged; one whose execution failed is classified; any other goes to its stage's `checks.py`.
    """
    status = request.record.get("status")
    if status in ("not_reached", "blocked"):
        return Verdict(request.stage, "not_reached")
    if status == "failed":
        failure = failure_from_record(request.record, request.stage)
        if request.is_reference:
            failure = replace(failure, attribution="harness")
        return Verdict(request.stage, "failed", failure=failure)
    if status != "ok":
        raise JudgeError(
            f"expected status ok, failed, not_reached or blocked in the record of {request.stage}, "
            f"found {status!r}; remove that record and give the same command again"
        )
    verdict: Verdict = importlib.import_module(f"pipeline.stages.{request.stage}.checks").judge(
        request
    )
    return verdict


def conclude(
    request: JudgeRequest, checks: Sequence[Check], guard: Sequence[GuardCheck]
) -> Verdict:
    """The verdict that a stage's checks and guards amount to.

    For a solution: failed if a requirement or a guard fails, or if no rung is reached. For the
    reference, which is the measure of the ladder, there is no rung: it must pass what needs no
    reference, and where it does not the harness is at fault.
    """
    checks, guard = tuple(checks), tuple(guard)
    failed = failed_requirements(checks, guard)
    if request.is_reference:
        if not failed:
            return Verdict(request.stage, "reference", None, checks, guard)
        failure = replace(classify_checks(request.stage, failed), attribution="harness")
        return Verdict(request.stage, "failed", None, checks, guard, failure)
    rung = rung_reached(checks)
    if failed or rung is None:
        telling = failed or tuple(c for c in checks if not c.passed and c.rung != "exact")
        failure = classify_checks(request.stage, telling or checks)
        return Verdict(request.stage, "failed", None, checks, guard, failure)
    return Verdict(request.stage, "passed", rung, checks, guard)
