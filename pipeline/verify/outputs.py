"""Outputs: every file that an execution made has the hash in its record, and its inputs too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.files import sha256_file, sha256_json
from pipeline.steps.inputs import without_places
from pipeline.verify.findings import Group
from pipeline.verify.folder import RunFolder, Stage

REMEDY = (
    "give the command of the run again: it makes the stage anew, with the same bits, if a file of "
    "its record is gone or changed"
)
PASSES = ("output", "sealed")


def check_outputs(run: RunFolder) -> Group:
    """The files of every record, no more and no fewer; and the hash of what they were made from."""
    group = Group("outputs", REMEDY)
    for stage in run.stages():
        name = stage.file("record.json")
        record = run.json(name, group)
        if record is None:
            continue
        group.same(name, "the record of the stage", stage.name, record.get("stage"))
        _check_files(run, stage, record, group)
        _check_inputs(run, stage, record, group)
    return group


def _check_files(run: RunFolder, stage: Stage, record: Mapping[str, Any], group: Group) -> None:
    listed: Mapping[str, str] = record.get("files", {})
    for relative, digest in listed.items():
        name = stage.file(relative)
        if run.has(name):
            found = sha256_file(run.path / name)
            group.same(name, "a file with the hash in record.json,", digest, found)
        else:
            group.holds(False, name, "a file that record.json lists", "no such file")
    folder = run.path / stage.owner / stage.name
    there = [p for part in PASSES for p in sorted((folder / part).rglob("*")) if p.is_file()]
    for path in there:
        relative = path.relative_to(folder).as_posix()
        if relative not in listed:
            group.holds(False, stage.file(relative), "files that record.json lists", "one more",
                        "remove it, or restore record.json from a copy of the run")  # fmt: skip


def _check_inputs(run: RunFolder, stage: Stage, record: Mapping[str, Any], group: Group) -> None:
    """Solution, fileset, reference and what was read before give `inputs_sha256` again."""
    told = record.get("inputs_sha256")
    if not told and record.get("status") != "ok":
        return  # nothing was executed
    plan = run.layout.plan_of(stage.owner)
    fileset = run.json(f"fileset/{plan.fileset}.json", group)
    before = {
        name: run.json(f"{folder}/record.json", group)
        for name, folder in run.layout.upstream(stage.owner, stage.name).items()
    }
    solution = stage.file("solution.py")
    if fileset is None or None in before.values() or not run.present(solution, group):
        return
    digest = sha256_json(
        {
            "solution": sha256_file(run.path / solution),
            "fileset": without_places(fileset),
            "reference": plan.reference,
            "upstream": {name: content.get("files", {}) for name, content in before.items()},
        }
    )
    group.same(
        stage.file("record.json"), "inputs_sha256 as its solution, fileset and inputs give it,",
        digest, told,
        "the stage was not made from what lies here: restore solution.py, the fileset and the "
        "records before it from a copy of the run",
    )  # fmt: skip
