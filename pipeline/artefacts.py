"""What a run made, as hashes that do not depend on when, where and under which name it ran."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agents.trajectory import content_sha256
from pipeline.files import read_json, sha256_file, sha256_json
from pipeline.settings import load, settings_sha256
from pipeline.workflow.layout import Layout, PointPlan

CIRCUMSTANCES = frozenset(
    {
        "run",  # the name of the run
        "wall_s", "cpu_s", "cost",  # what it took here and now
        "git", "code_sha256", "versions", "hardware",  # see `made_with`
        "settings_file_sha256", "fileset_sha256",  # files that hold the run's name, or folders
        "path", "location",  # where files lie
        "traceback",  # names the folders of the interpreter; kind and message stay
        "workers",  # of the site
    }
)  # fmt: skip
"""Members of JSON files that may differ between two runs which found the same."""

TIMED_COLUMNS = frozenset({"run", "wall_s"})
"""Columns of summary.csv that may differ for the same reason."""


def artefacts(run: Path) -> dict[str, str]:
    """Name -> SHA-256 of every artefact of the run in `run` that is there, in a fixed order.

    Names are paths relative to the run, but for `sweep.json plan` and `settings of <point>`, which
    are parts of files. Settings count as far as they decide a result, JSON files without
    CIRCUMSTANCES, trajectories by what was said and tried; everything else bit for bit.
    """
    layout = Layout.load(run / "sweep.json")
    found = {"sweep.json plan": sha256_json(_lasting(read_json(run / "sweep.json")["plan"]))}
    for plan in layout.points:
        settings = load(run / "points" / plan.name / "settings.json")
        found[f"settings of {plan.name}"] = settings_sha256(settings)
    for path in _files(run, layout):
        if path.is_file():
            found[path.relative_to(run).as_posix()] = _sha256(path)
    return found


def made_with(run: Path) -> dict[str, str]:
    """What a run was made with: hash of Ladon's code, and the versions of the packages."""
    made = read_json(run / "provenance.json")
    return {"code of Ladon": str(made["code_sha256"])[:12], **made["versions"]}


def _files(run: Path, layout: Layout) -> Iterator[Path]:
    """Every file that counts, owner by owner and stage by stage."""
    for key in sorted({plan.fileset for plan in layout.points}):
        yield run / "fileset" / f"{key}.json"
    yield from sorted((run / "solutions").glob("*.py"))
    for key in sorted({plan.reference for plan in layout.points}):
        for stage in layout.reference_stages(key):
            yield from _stage(run / "reference" / key / stage)
    for plan in layout.points:
        yield from _point(run / "points" / plan.name, plan)
    yield from sorted((run / "figures").rglob("*.csv"))
    yield run / "summary.csv"


def _point(folder: Path, plan: PointPlan) -> Iterator[Path]:
    for stage in plan.stages:
        yield from _stage(folder / stage)
    yield folder / "results.json"


def _stage(folder: Path) -> Iterator[Path]:
    for name in ("solution.py", "trajectory.jsonl", "attempts.json", "record.json"):
        yield folder / name
    for part in ("output", "sealed"):
        yield from sorted(p for p in (folder / part).rglob("*") if p.is_file())
    yield folder / "verdict.json"


def _sha256(path: Path) -> str:
    """The hash of a file's lasting content."""
    if path.name == "trajectory.jsonl":
        return content_sha256(path)
    if path.name == "summary.csv":
        return _sha256_of_columns(path)
    ours = path.parent.name not in ("output", "sealed")
    if path.suffix == ".json" and ours:
        return sha256_json(_lasting(read_json(path)))
    return sha256_file(path)


def _lasting(content: Any) -> Any:
    """`content` without the members that are circumstances, at any depth."""
    if isinstance(content, dict):
        return {k: _lasting(v) for k, v in content.items() if k not in CIRCUMSTANCES}
    if isinstance(content, list):
        return [_lasting(item) for item in content]
    return content


def _sha256_of_columns(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            kept = [[k, v] for k, v in row.items() if k not in TIMED_COLUMNS]
            digest.update(sha256_json(kept).encode())
    return digest.hexdigest()
