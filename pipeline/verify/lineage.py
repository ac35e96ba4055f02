"""Lineage: what is there was made from files, and those are there too.

A file that nothing was made from yet is only missing: the run has not come so far. One that
something was made from was removed.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.verify.findings import Group
from pipeline.verify.folder import RunFolder, Stage

REMEDY = "restore it from a copy of the run, or give the command of the run again"
DIALOGUES = "dialogues"
PARTS = ("timing.json", "attempts.json", "solution.py", "trajectory.jsonl")
"""What every execution of a stage has beside its record, in the order from last to first."""


def check_lineage(run: RunFolder) -> Group:
    """Every file that another one was made from; each that is gone is named once."""
    group = Group("files", REMEDY)
    told: set[str] = set()
    for made, source in _pairs(run, group):
        if source in told or not run.has(made):
            continue
        there = run.has(source)
        if not group.holds(there, source, f"a file that was there before {made}", "no such file"):
            told.add(source)
    return group


def _pairs(run: RunFolder, group: Group) -> Iterator[tuple[str, str]]:
    """(what was made, what it was made from), from the end of the run to its beginning."""
    for plan in run.layout.points:
        verdicts = run.layout.verdicts(plan.name)
        results = f"points/{plan.name}/results.json"
        if not run.layout.is_sweep or all(map(run.has, verdicts)):
            yield "report.html", results  # that of a sweep may be drawn before all is there
        for verdict in verdicts:
            yield results, verdict
    spoken = (run.path / DIALOGUES).is_dir()
    if not spoken:
        group.note(f"{DIALOGUES} is not there: trajectories were not compared with it")
    for stage in run.stages():
        yield from _of_stage(run, stage)
        trajectory = stage.file("trajectory.jsonl")
        if spoken and run.has(trajectory) and (run.path / trajectory).stat().st_size:
            yield trajectory, f"{DIALOGUES}/{stage.owner}/{stage.name}.jsonl"
    for key in run.filesets:
        for record in run.layout.synthetic_records(key):
            yield f"fileset/{key}.json", record
    yield from _frozen(run)


def _of_stage(run: RunFolder, stage: Stage) -> Iterator[tuple[str, str]]:
    plan = run.layout.plan_of(stage.owner)
    record, verdict = stage.file("record.json"), stage.file("verdict.json")
    if not stage.is_reference:
        yield verdict, f"reference/{plan.reference}/{stage.name}/record.json"
        yield verdict, record
    for name in PARTS:
        yield record, stage.file(name)
    for name in PARTS[2:]:
        yield stage.file("attempts.json"), stage.file(name)
    yield record, f"fileset/{plan.fileset}.json"
    for before in run.layout.upstream_records(stage.owner, stage.name):
        yield record, before


def _frozen(run: RunFolder) -> Iterator[tuple[str, str]]:
    """What is frozen before anything is computed, and before the plan is there."""
    plan = "sweep.json"
    yield plan, "provenance.json"
    for point in run.points:
        yield plan, f"points/{point}/settings.json"
    for key in run.references:
        yield plan, f"reference/{key}/settings.json"
    for key in run.filesets:
        yield plan, f"fileset/{key}.settings.json"
