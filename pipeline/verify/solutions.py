"""Frozen solutions: each is what its name says, and what was accepted, tried, frozen and run."""

from __future__ import annotations

from typing import Any

from agents.errors import TrajectoryError
from agents.trajectory import Entry, read_entries
from pipeline.files import sha256_file
from pipeline.verify.findings import Group
from pipeline.verify.folder import RunFolder, Stage

REMEDY = (
    "the solution was changed after it was frozen: restore it from a copy of the run, or run the "
    "stage again under a new run.name"
)


def check_solutions(run: RunFolder) -> Group:
    """Every frozen solution, and the solution of every stage of every owner."""
    group = Group("solutions", REMEDY)
    for path in sorted((run.path / "solutions").glob("*.py")):
        name = path.relative_to(run.path).as_posix()
        group.same(name, "a module with the hash of its name,", path.stem, sha256_file(path))
    for stage in run.stages():
        _check_stage(run, stage, group)
    return group


def _check_stage(run: RunFolder, stage: Stage, group: Group) -> None:
    name = stage.file("solution.py")
    if not run.present(name, group):
        return
    digest = sha256_file(run.path / name)
    record = run.json(stage.file("record.json"), group)
    if record is not None:
        group.same(name, "the module that record.json says was run,",
                   record.get("solution_sha256"), digest)  # fmt: skip
    attempts = run.json(stage.file("attempts.json"), group)
    if attempts is None:
        return
    wanted = _accepted(run, stage, attempts, digest, group)
    if wanted is None:
        return
    group.same(name, "the accepted module,", wanted, digest)
    frozen = f"solutions/{wanted}.py"
    if run.has(frozen):
        group.same(name, f"the bytes of {frozen},", sha256_file(run.path / frozen), digest)
    else:
        group.holds(False, frozen, "the frozen solution of " + name, "no such file")


def _accepted(
    run: RunFolder, stage: Stage, attempts: dict[str, Any], digest: str, group: Group
) -> str | None:
    """Hash of the module that was accepted; None where none was."""
    if stage.is_reference or attempts.get("solver") == "reference":
        return digest  # our own: nothing says which but its frozen copy and the record
    accepted: str | None = attempts.get("code_sha256")
    spoken = stage.file("trajectory.jsonl")
    if not run.present(spoken, group):
        return accepted
    try:
        entries = read_entries(run.path / spoken)
    except (TrajectoryError, UnicodeDecodeError):
        return accepted  # told by the group of trajectories
    if entries:
        group.same(stage.file("attempts.json"), f"the last module that {spoken} accepted,",
                   last_accepted(entries), accepted)  # fmt: skip
    return accepted


def last_accepted(entries: list[Entry]) -> str | None:
    """Hash of the last candidate whose evidence was good; None if there was none."""
    found = candidate = None
    for entry in entries:
        if entry.kind == "candidate":
            candidate = str(entry.content.get("code_sha256"))
        elif entry.kind == "evidence" and entry.content.get("ok"):
            found = candidate
    return found
