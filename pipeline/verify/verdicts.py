"""Verdicts: each follows from its checks, and belongs to what was run and to the reference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.judge.classification import failure_from_record
from pipeline.judge.judging import conclude
from pipeline.judge.request import JudgeRequest
from pipeline.judge.verdict import Verdict, VerdictError
from pipeline.settings import Settings
from pipeline.verify.findings import Group, differences
from pipeline.verify.folder import RunFolder, Stage
from pipeline.verify.judging import Judging

REMEDY = "remove the stage's verdict.json and give the command of the run again to judge it anew"


def check_verdicts(run: RunFolder, again: bool = False) -> Group:
    """Every verdict of every point; judged `again`, guards and all, if that is asked for."""
    group = Group("verdicts", REMEDY)
    judging = Judging(run, group) if again else None
    for stage in run.stages(references=False):
        name = stage.file("verdict.json")
        content = run.json(name, group)
        record = run.json(stage.file("record.json"), group)
        settings = run.settings(f"{stage.owner}/settings.json", group)
        if content is None or record is None or settings is None:
            continue
        try:
            verdict = Verdict.from_json(content)
        except (VerdictError, TypeError) as error:
            group.holds(False, name, "a verdict", str(error))
            continue
        request = _request(run, stage, settings, record, group)
        group.same(name, "the verdict on stage", stage.name, verdict.stage)
        _check_conclusion(request, verdict, name, group)
        _check_reference(run, stage, record, verdict, group)
        if judging is not None:
            judging.check(request, content, name)
    if judging is not None:
        judging.tell()
    return group


def _request(
    run: RunFolder, stage: Stage, settings: Settings, record: Mapping[str, Any], group: Group
) -> JudgeRequest:
    """What the judge was asked; its paths are relative to the run, as the step's were."""
    plan = run.layout.plan_of(stage.owner)
    reference = f"reference/{plan.reference}"

    def upstream(owner: str) -> dict[str, Path]:
        return {s: Path(f) for s, f in run.layout.upstream(owner, stage.name).items()}

    return JudgeRequest(
        stage=stage.name,
        settings=settings,
        fileset=run.json(f"fileset/{plan.fileset}.json", group) or {},
        solution_path=Path(stage.file("solution.py")),
        output=Path(stage.owner) / stage.name,
        reference=Path(reference) / stage.name,
        upstream=upstream(stage.owner),
        reference_upstream=upstream(reference),
        record=record,
    )


def _check_conclusion(request: JudgeRequest, verdict: Verdict, name: str, group: Group) -> None:
    """Outcome, rung and failure are those that the checks, or the record, come to."""
    status = request.record.get("status")
    if status == "ok":
        wanted = conclude(request, verdict.checks, verdict.guard)
    elif status == "failed":
        failure = failure_from_record(request.record, request.stage)
        wanted = Verdict(request.stage, "failed", failure=failure)
    else:
        wanted = Verdict(request.stage, "not_reached")
    for place, expected, found in differences(wanted.to_json(), verdict.to_json()):
        group.same(name, f"{place} as its checks and the record come to,", expected, found)
    group.checked += 1


def _check_reference(
    run: RunFolder, stage: Stage, record: Mapping[str, Any], verdict: Verdict, group: Group
) -> None:
    """Where the files are those of the reference bit for bit, no check of that rung has failed."""
    plan = run.layout.plan_of(stage.owner)
    name = f"reference/{plan.reference}/{stage.name}/record.json"
    reference = run.json(name, group)
    if reference is None or record.get("status") != "ok" or not record.get("files"):
        return
    if record["files"] == reference.get("files"):
        failed = [c.name for c in verdict.checks if c.rung == "exact" and not c.passed]
        group.same(stage.file("verdict.json"), f"of outputs identical to those of {name}, failed "
                   "checks of the rung exact:", [], failed)  # fmt: skip
