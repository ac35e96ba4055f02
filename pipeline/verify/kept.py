"""Kept executions: what points share is what each of them has, and nobody changed it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from typing import Any

from pipeline.files import RunFileError, sha256_file
from pipeline.steps.context import Place
from pipeline.steps.sharing import FOLDER, key_of, verdict_file
from pipeline.verify.findings import Group, differences
from pipeline.verify.folder import RunFolder, Stage
from pipeline.verify.kept_tries import check_tries

REMEDY = "restore it from a copy of the run: points that are added would take it over"
CHANGED = "one of the two was changed: restore it from a copy of the run"
TELLS = "execution.json"


@dataclass(frozen=True)
class Told:
    """What one file says of something that several files say."""

    file: str
    value: Any


def check_kept(run: RunFolder) -> Group:
    """Every execution, verdict and try below `executions/` against the stages that share it."""
    group = Group("executions", REMEDY)
    if not (run.path / FOLDER).is_dir():
        group.note(f"{FOLDER} is not there: what points share was not compared")
        return group
    owners = _owners(run, group)
    there = {p.name for p in (run.path / FOLDER).iterdir() if p.is_dir() and len(p.name) == 32}
    strangers = sorted(there - set(owners))
    if strangers:
        group.note(f"{len(strangers)} of {len(there)} kept executions belong to no stage of the "
                   f"run as it is, first {FOLDER}/{strangers[0]}")  # fmt: skip
    for key in sorted(there | set(owners)):
        _check_execution(run, key, owners.get(key, []), group)
    check_tries(run, group)
    return group


def _owners(run: RunFolder, group: Group) -> dict[str, list[Stage]]:
    """Name of an execution -> the stages whose records it is that of."""
    found: dict[str, list[Stage]] = defaultdict(list)
    for stage in run.stages():
        record = run.json(stage.file("record.json"), group)
        if not isinstance(record, dict) or record.get("status") != "ok":
            continue
        if {"solution_sha256", "inputs_sha256", "files"} <= set(record):
            place = Place(stage.owner, stage.name, run.layout)
            found[key_of(place, record)].append(stage)
    return found


def _check_execution(run: RunFolder, key: str, owners: Sequence[Stage], group: Group) -> None:
    name = f"{FOLDER}/{key}/{TELLS}"
    if not run.has(name):
        said = owners[0].file("record.json") if owners else "the folder that it is in"
        run.expects(group, name, f"the execution of {said}")
        return
    kept = run.json(name, group)
    if not isinstance(kept, dict) or not {"files", "timing"} <= set(kept):
        group.holds(kept is None, name, "files and timing of an execution", "a file without them")
        return
    _check_files(run, key, kept["files"], group)
    if owners:
        _check_owners(run, name, kept, owners, group)
        _check_verdicts(run, name, kept["files"], owners, group)


def _check_files(run: RunFolder, key: str, files: Mapping[str, str], group: Group) -> None:
    folder = f"{FOLDER}/{key}"
    for relative, digest in files.items():
        name = f"{folder}/{relative}"
        if run.has(name):
            found = sha256_file(run.path / name)
            group.same(name, f"a file with the hash in {TELLS},", digest, found)
        else:
            group.holds(False, name, f"a file that {TELLS} lists", "no such file")
    for path in sorted((run.path / folder).rglob("*")):
        relative = path.relative_to(run.path / folder).as_posix()
        known = relative in files or relative == TELLS or relative.startswith("verdict-")
        if path.is_file() and not known:
            group.holds(False, f"{folder}/{relative}", f"files that {TELLS} lists", "one more",
                        "remove it")  # fmt: skip


def _check_owners(
    run: RunFolder, name: str, kept: Mapping[str, Any], owners: Sequence[Stage], group: Group
) -> None:
    """Files and times are those of the stages that took it over, and of one that made it.

    Of two that came at the same time both computed, and one was kept: the other may have other
    times, and other files if its solution is not deterministic.
    """
    took: list[tuple[str, Any, str, Any]] = []
    made: list[tuple[str, Any, str, Any]] = []
    for stage in owners:
        record, timing = stage.file("record.json"), stage.file("timing.json")
        files, times = run.json(record, group)["files"], run.json(timing, group)
        if isinstance(times, dict):
            taken = times.get("taken_over") is True
            (took if taken else made).append((record, files, timing, _untaken(times)))
    makers = [m for m in made if (m[1], m[3]) == (kept["files"], _untaken(kept["timing"]))]
    others = [*(makers or made[:1]), *took]
    _agree(name, Told(".files", kept["files"]), [Told(o[0], o[1]) for o in others], group)
    _agree(name, Told(".timing", _untaken(kept["timing"])), [Told(o[2], o[3]) for o in others],
           group)  # fmt: skip
    if took and not made:
        group.note(f"no stage says that it made {name}: {took[0][2]} and all others took it over")
    if len(makers) > 1:
        group.note(f"{makers[0][2]} and {makers[1][2]} say that they made the same execution in "
                   "the same time; the second must have taken it over")  # fmt: skip


def _untaken(timing: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in timing.items() if k != "taken_over"}


def _check_verdicts(
    run: RunFolder, name: str, files: Mapping[str, str], owners: Sequence[Stage], group: Group
) -> None:
    """Each kept verdict is the one of every stage that has this execution and its reference."""
    sharing: dict[str, list[Told]] = defaultdict(list)
    for stage in owners:
        verdict = stage.file("verdict.json")
        record = run.json(stage.file("record.json"), group)
        if stage.is_reference or record["files"] != files or not run.has(verdict):
            continue
        with chdir(run.path):
            try:
                kept = verdict_file(Place(stage.owner, stage.name, run.layout), record)
            except (RunFileError, OSError):  # told by the groups of these files
                continue
        if kept is not None:
            sharing[kept.as_posix()].append(Told(verdict, run.json(verdict, group)))
    for kept_name, told in sharing.items():
        if not run.has(kept_name):
            run.expects(group, kept_name, f"the verdict that {told[0].file} was taken from")
            continue
        content = run.json(kept_name, group)
        readable = [one for one in told if one.value is not None]
        if content is not None and readable:
            _agree(kept_name, Told("", content), readable, group)


def _agree(name: str, kept: Told, others: Sequence[Told], group: Group) -> None:
    """What is kept in `name` is what the others have.

    Where several others agree with each other and not with it, it is the one that was changed.
    """
    same = all(other.value == others[0].value for other in others)
    if len(others) > 1 and same and others[0].value != kept.value:
        for place, expected, found in differences(others[0].value, kept.value):
            what = f"{kept.file}.{place}".strip(".")
            group.same(name, f"{what} as {others[0].file} and {len(others) - 1} more have it,",
                       expected, found, CHANGED)  # fmt: skip
        return
    for other in others:
        for place, expected, found in differences(kept.value, other.value):
            what = f"{kept.file}.{place}".strip(".")
            group.same(other.file, f"{what} as {name} has it,", expected, found, CHANGED)
        group.checked += 1
