"""The report: page, summaries and figures, made again from the files of the stages and compared."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.controller import SERVERS_FILE
from pipeline.evaluation.tables import FOLDER as TABLES
from pipeline.files import write_json
from pipeline.report import make_report
from pipeline.verify.compare import first_difference
from pipeline.verify.findings import Group
from pipeline.verify.folder import RunFolder

REMEDY = "`ladon report` draws the report again from the files of the stages"
REPORT = ("report.html", "summary.json", "summary.csv")
DRAWN = ("figures", TABLES)
"""Folders that hold nothing but what the report puts there."""
READ = (
    "sweep.json", "provenance.json", "replay.json", SERVERS_FILE, "fileset", "reference",
    "solutions", "dialogues", "logs",
)  # fmt: skip
"""What a report reads at the top of a run, beside its points. Nothing else is shown to it, so that
what it writes can never get into the run."""


def check_report(run: RunFolder, results: Mapping[str, dict[str, Any]]) -> Group:
    """Every file of the report against the same file made from the stages' files.

    `results` are those collected again, so that an edited results.json does not excuse a page that
    shows the same edit. The report of a sweep is made of what is there, as it was before.
    """
    group = Group("report", REMEDY)
    there = [name for name in REPORT if run.present(name, group)]
    lacking = [point for point in run.points if point not in results]
    for point in lacking:
        if run.has(f"points/{point}/results.json"):
            group.note(f"the results of {point} could not be collected again")
        else:
            group.lacks(f"points/{point}/results.json")
    if not there or (lacking and not run.layout.is_sweep):
        return group
    with tempfile.TemporaryDirectory(prefix="ladon-verify-") as temporary:
        shadow = Path(temporary).resolve() / run.path.name
        _shadow(run, results, shadow)
        try:
            make_report(shadow)
        except Exception as error:  # noqa: BLE001 - whatever a damaged file does to a drawing
            said = f"{type(error).__name__}: {error}".replace(f"{shadow}/", "")
            group.holds(False, "report.html", "files that a report can be drawn from", said)
            return group
        _compare(run, shadow, group)
    return group


def _shadow(run: RunFolder, results: Mapping[str, dict[str, Any]], shadow: Path) -> None:
    """A folder that reads as the run does, with the results as collected and without a report."""
    shadow.mkdir()
    for name in READ:
        if (run.path / name).exists():
            os.symlink(run.path / name, shadow / name)
    for point in run.points:
        folder = shadow / "points" / point
        folder.mkdir(parents=True)
        for path in sorted((run.path / "points" / point).glob("*")):
            if path.name != "results.json":
                os.symlink(path, folder / path.name)
        if point in results:
            write_json(folder / "results.json", results[point])


def _compare(run: RunFolder, shadow: Path, group: Group) -> None:
    """Each file that was made in the shadow against the run's, and no more of them in the run."""
    made = sorted(p for p in shadow.rglob("*") if p.is_file() and not _linked(p, shadow))
    names = [p.relative_to(shadow).as_posix() for p in made]
    for name in names:
        if not name.startswith("points/"):
            _compare_file(run, shadow, name, group)
    for folder in DRAWN:
        for path in sorted((run.path / folder).rglob("*")):
            name = path.relative_to(run.path).as_posix()
            if path.is_file() and name not in names:
                group.holds(False, name, f"in {folder} only what the report makes", "one more",
                            "remove it" + run.other_code)  # fmt: skip


def _compare_file(run: RunFolder, shadow: Path, name: str, group: Group) -> None:
    if not run.has(name):
        made = next(one for one in REPORT if run.has(one))
        group.holds(False, name, f"a file that is made with {made}", "no such file")
        return
    found = first_difference(shadow / name, run.path / name)
    if found is None:
        group.holds(True, name, "", "")
    elif not run.same_tools and found.drawing:
        group.note(f"{name} is drawn otherwise by the versions installed here; its numbers are "
                   "compared")  # fmt: skip
    else:
        group.holds(False, name, f"{found.place}: {found.expected}",
                    found.found + run.other_code)  # fmt: skip


def _linked(path: Path, shadow: Path) -> bool:
    """Whether a path leads through a link, and so belongs to the run."""
    return path.is_symlink() or path.resolve() != path or shadow not in path.parents
