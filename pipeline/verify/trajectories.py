"""Trajectories: what was asked, answered and tried, counted again and played again."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

from agents.chat import Reply, answer_of
from agents.errors import AgentError, ReplyError, TrajectoryError, WorkbenchError
from agents.evidence import Evidence
from agents.loop import solve
from agents.replay import ReplayModel
from agents.replies import python_block
from agents.trajectory import ASIDE, Entry, read_entries
from pipeline.files import sha256_file
from pipeline.models import limits_of, seed_of
from pipeline.stages.registry import contract_module
from pipeline.stages.task import task_of
from pipeline.verify.findings import Group, differences
from pipeline.verify.folder import RunFolder, Stage

REMEDY = "the record of the rounds was changed: restore it from a copy of the run"


class ClosedBench:
    """Stands where solutions are tried: a recorded stage is never tried again."""

    def try_solution(self, code: str) -> Evidence:
        raise WorkbenchError("expected recorded evidence, found a module that was not tried")


def check_trajectories(run: RunFolder) -> Group:
    """Every trajectory: its copies, its own hashes, its counts, and the loop played through it."""
    group = Group("trajectories", REMEDY)
    for stage in run.stages():
        name = stage.file("trajectory.jsonl")
        if not run.present(name, group):
            continue
        before = len(group.failures)
        try:
            entries = read_entries(run.path / name)
        except (TrajectoryError, UnicodeDecodeError) as error:
            group.holds(False, name, "a step in every line", str(error).split(";")[0])
            _check_grown(run, stage, name, group)
            continue
        attempts = run.json(stage.file("attempts.json"), group)
        _check_own_hashes(entries, name, group)
        if attempts is not None:
            _check_counts(entries, attempts, stage, group)
        if entries and attempts is not None:
            _check_again(run, stage, attempts, group)
        _check_grown(run, stage, name, group, whole=len(group.failures) == before)
    return group


def _check_grown(
    run: RunFolder, stage: Stage, name: str, group: Group, whole: bool = False
) -> None:
    """The trajectory is a copy of the file that grew; if it is `whole`, the other was changed."""
    grown = f"dialogues/{stage.owner}/{stage.name}.jsonl"
    if run.has(grown):
        changed, other = (grown, name) if whole else (name, grown)
        group.same(changed, f"the bytes of {other},",
                   sha256_file(run.path / other), sha256_file(run.path / changed))  # fmt: skip


def _check_own_hashes(entries: list[Entry], name: str, group: Group) -> None:
    """Each candidate has its hash, and is the module in the reply before it."""
    reply: Mapping[str, Any] = {}
    for entry in entries:
        if entry.kind == "reply":
            reply = {**entry.content, "circumstances": entry.circumstances}
        elif entry.kind == "candidate":
            number, code = entry.content.get("round"), str(entry.content.get("code"))
            digest = hashlib.sha256(code.encode()).hexdigest()
            group.same(name, f"a module in round {number} with the hash beside it,",
                       entry.content.get("code_sha256"), digest)  # fmt: skip
            group.holds(
                _module_of(reply) == code, name,
                f"the module that the coder replied in round {number}", "another one as tried",
            )  # fmt: skip


def _module_of(reply: Mapping[str, Any]) -> str | None:
    """The module in a recorded reply; None if there is none."""
    content = {k: v for k, v in reply.items() if k != "circumstances"}
    try:
        found = python_block(answer_of(Reply.from_record(content, reply["circumstances"])))
    except (ReplyError, LookupError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _check_counts(
    entries: list[Entry], attempts: Mapping[str, Any], stage: Stage, group: Group
) -> None:
    """Rounds, calls and tokens of attempts.json, counted again from the lines."""
    file = stage.file("attempts.json")
    spoken = stage.file("trajectory.jsonl")
    usage = [e.content.get("usage", {}) for e in entries if e.kind == "reply"]
    asked = [e.content.get("round", 0) for e in entries if e.kind in ("request", "candidate")]
    counts: list[tuple[str, Any, Any]] = [
        ("api_calls", len(usage), attempts.get("api_calls")),
        ("rounds", max(asked, default=0), attempts.get("rounds")),
    ]
    said = attempts.get("tokens") or {}
    for name in ("prompt", "completion"):
        total = sum(u.get(name) or 0 for u in usage)
        counts.append((f"tokens.{name}", total, said.get(name)))
    for what, counted, told in counts:
        group.same(file, f"{what} as counted in {spoken},", counted, told)


def _check_again(run: RunFolder, stage: Stage, attempts: Mapping[str, Any], group: Group) -> None:
    """The loop, played through the recorded lines, asks the same and ends the same.

    Every request is made anew from the task, the replies and the evidence before it, so that a
    changed message is found wherever it is. No model is asked and no module is run.
    """
    name = stage.file("trajectory.jsonl")
    settings = run.settings(f"{stage.owner}/settings.json", group)
    if settings is None:
        return
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "trajectory.jsonl"
        shutil.copyfile(run.path / name, copy)
        try:
            outcome = solve(
                task_of(stage.name, settings, _summaries(run, stage, group)),
                ClosedBench(),
                ReplayModel(copy, "coder"),
                copy,
                limits=limits_of(settings),
                seed=seed_of(settings),
                supervisor_model=ReplayModel(copy, "supervisor"),
            )
        except (AgentError, LookupError, TypeError, ValueError) as error:
            said = str(error).replace(str(copy), name).split("; the task, the prompts")[0]
            group.holds(False, name, "the steps that the loop takes", said + run.other_code)
            return
        last = [e.kind for e in read_entries(copy) if e.kind not in ASIDE][-1]
        group.same(name, "as its last step", "outcome", last)
    wanted = json.loads(json.dumps(outcome.to_attempts()))
    for place, expected, found in differences(wanted, attempts):
        group.same(stage.file("attempts.json"), f"{place} as the rounds came to,", expected, found)
    group.checked += 1


def _summaries(run: RunFolder, stage: Stage, group: Group) -> dict[str, Any] | None:
    """What inspect's solution said of the files, which the task of convert quotes."""
    owner = run.layout.plan_of(stage.owner).upstream_owner
    record = f"{owner}/inspect/record.json"
    if stage.name != "convert" or not run.has(record):
        return None
    content = run.json(record, group)
    if content is None or content.get("status") != "ok":
        return None
    with chdir(run.path):
        summaries: dict[str, Any] = contract_module("inspect").CONTRACT.read(
            Path(f"{owner}/inspect/output")
        )
    return summaries
