"""Kept tries: what the bench said of a candidate is what every dialogue that tried it was told."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import chdir
from dataclasses import asdict
from typing import Any

from agents.errors import TrajectoryError
from agents.trajectory import read_entries
from pipeline.files import RunFileError, sha256_json
from pipeline.steps.context import Place
from pipeline.steps.inputs import inputs_of
from pipeline.steps.kept_tries import OF_THE_MACHINE, TRIES
from pipeline.verify.findings import Group, differences
from pipeline.verify.folder import RunFolder, Stage

PRINTED = ("stdout", "stderr")
"""What a module prints may hold a time; two that tried it at the same moment may differ there."""


def check_tries(run: RunFolder, group: Group) -> None:
    """Every try below `executions/tries` against the evidence in the trajectories."""
    if not (run.path / TRIES).is_dir():
        group.note(f"{TRIES} is not there: the evidence of tries was not compared")
        return
    told: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for stage in run.stages(references=False):
        inputs = _inputs(run, stage, group)
        for digest, evidence in _tried(run, stage) if inputs else ():
            name = f"{TRIES}/{sha256_json([stage.name, digest, inputs])[:32]}.json"
            told[name].append((stage.file("trajectory.jsonl"), evidence))
    for name, evidences in told.items():
        _check_try(run, name, evidences, group)
    strangers = [p.name for p in sorted((run.path / TRIES).glob("*.json"))
                 if f"{TRIES}/{p.name}" not in told]  # fmt: skip
    if strangers:
        group.note(f"{len(strangers)} kept tries belong to no dialogue of the run as it is, first "
                   f"{TRIES}/{strangers[0]}")  # fmt: skip


def _check_try(
    run: RunFolder, name: str, evidences: list[tuple[str, Mapping[str, Any]]], group: Group
) -> None:
    first, evidence = evidences[0]
    if not run.has(name):
        if _is_kept(evidence):
            run.expects(group, name, f"what a try of a module showed, which {first} tells of")
        return
    kept = run.json(name, group)
    if not isinstance(kept, dict):
        return
    against = [one for one in evidences if _plain(one[1]) != _plain(kept)]
    if len(evidences) > 1 and len(against) == len(evidences):
        for place, expected, found in differences(_plain(evidence), _plain(kept)):
            group.same(name, f"{place} as {first} and {len(evidences) - 1} more tell it,",
                       expected, found)  # fmt: skip
        return
    for trajectory, told in evidences:
        for place, expected, found in differences(_plain(kept), _plain(told)):
            group.same(trajectory, f"{place} of its evidence as {name} has it,", expected, found)
        group.checked += 1
        for printed in PRINTED:
            if told.get(printed) != kept.get(printed):
                group.note(f"{trajectory} and {name} hold another {printed} of the same module")


def _is_kept(evidence: Mapping[str, Any]) -> bool:
    """Whether the bench keeps this: what hangs on the machine is tried anew each time."""
    mine = evidence.get("attribution") in (None, "model")
    return mine and evidence.get("category") not in OF_THE_MACHINE and not evidence.get("signal")


def _plain(evidence: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in evidence.items() if k not in PRINTED}


def _tried(run: RunFolder, stage: Stage) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(hash of a candidate, the evidence on it) of every try of a stage."""
    name = stage.file("trajectory.jsonl")
    if not run.has(name):
        return
    try:
        entries = read_entries(run.path / name)
    except (TrajectoryError, UnicodeDecodeError):  # told by the group of trajectories
        return
    digest = None
    for entry in entries:
        if entry.kind == "candidate":
            code = str(entry.content.get("code"))
            digest = hashlib.sha256(code.encode("utf-8", errors="surrogatepass")).hexdigest()
        elif entry.kind == "evidence" and digest is not None:
            yield digest, entry.content


def _inputs(run: RunFolder, stage: Stage, group: Group) -> str | None:
    """Hash of what a try of this stage depends on besides the candidate; None if it is gone."""
    settings = run.settings(f"{stage.owner}/settings.json", group)
    if settings is None:
        return None
    with chdir(run.path):
        try:
            inputs = inputs_of(Place(stage.owner, stage.name, run.layout))
        except (RunFileError, OSError, LookupError, TypeError, UnicodeDecodeError):
            return None  # told by the groups of these files
    return sha256_json([inputs, settings.site.sandbox, asdict(settings.site.limits)])
