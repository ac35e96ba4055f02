"""The report: page, summaries and figures, made again from the files of the stages and compared."""

from __future__ import annotations

import importlib
import importlib.util
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.files import write_json
from pipeline.report import make_report
from pipeline.verify.compare import first_difference
from pipeline.verify.findings import Group
from pipeline.verify.folder import RunFolder

REMEDY = "`ladon report` draws the report again from the files of the stages"
REPORT = ("report.html", "summary.json", "summary.csv")
OF_MANY = (
    ("pipeline.sweep.report", "make_sweep_report"),
    ("pipeline.sweep_page", "make_sweep_page"),
)
"""What makes the report of many points, best first: module and function. Where neither is there,
it is that of a single run."""
READ = (
    "sweep.json", "provenance.json", "replay.json", "fileset", "reference", "solutions",
    "dialogues", "logs",
)  # fmt: skip
"""What a report reads at the top of a run, beside its points. Nothing else is shown to it, so that
what it writes can never get into the run."""


def renderer(points: int) -> Callable[[Path], Any]:
    """What makes the report of a run with so many points."""
    for module, name in OF_MANY if points > 1 else ():
        if _is_there(module):
            make: Callable[[Path], Any] = getattr(importlib.import_module(module), name)
            return make
    return make_report


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False


def check_report(run: RunFolder, results: Mapping[str, dict[str, Any]]) -> Group:
    """Every file of the report against the same file made from the stages' files.

    `results` are those collected again, so that an edited results.json does not excuse a page that
    shows the same edit.
    """
    group = Group("report", REMEDY)
    lacking = [point for point in run.points if point not in results]
    there = [name for name in REPORT if run.present(name, group)]
    if lacking:
        for point in lacking:
            if run.has(f"points/{point}/results.json"):
                group.note(f"the report was not made again: the results of {point} could not be "
                           "collected")  # fmt: skip
            else:
                group.lacks(f"points/{point}/results.json")
        return group
    if not there:
        return group
    with tempfile.TemporaryDirectory(prefix="ladon-verify-") as temporary:
        shadow = Path(temporary).resolve() / run.path.name
        _shadow(run, results, shadow)
        try:
            renderer(len(run.points))(shadow)
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
    for point, content in results.items():
        folder = shadow / "points" / point
        folder.mkdir(parents=True)
        for path in (run.path / "points" / point).iterdir():
            if path.name != "results.json":
                os.symlink(path, folder / path.name)
        write_json(folder / "results.json", content)


def _compare(run: RunFolder, shadow: Path, group: Group) -> None:
    """Each file that was made in the shadow against the run's, and no figure more in the run."""
    made = sorted(p for p in shadow.rglob("*") if p.is_file() and not _linked(p, shadow))
    names = [p.relative_to(shadow).as_posix() for p in made]
    for name in names:
        if name.startswith("points/"):
            continue
        if not run.has(name):
            group.lacks(name)
            continue
        found = first_difference(shadow / name, run.path / name)
        if found is None:
            group.holds(True, name, "", "")
        elif not run.same_tools and found.drawing:
            group.note(f"{name} is drawn otherwise by the versions installed here; its numbers "
                       "are compared in its CSV and JSON")  # fmt: skip
        else:
            group.holds(False, name, f"{found.place}: {found.expected}",
                        found.found + run.other_code)  # fmt: skip
    for path in sorted((run.path / "figures").rglob("*")):
        name = path.relative_to(run.path).as_posix()
        if path.is_file() and name not in names:
            group.holds(False, name, "only figures that the report draws", "one more",
                        "remove it" + run.other_code)  # fmt: skip


def _linked(path: Path, shadow: Path) -> bool:
    """Whether a path leads through a link, and so belongs to the run."""
    return path.is_symlink() or path.resolve() != path or shadow not in path.parents
