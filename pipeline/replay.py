"""Replay: a run made again from its recorded replies, and compared with it file by file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.trajectory import read_entries
from pipeline.artefacts import artefacts, made_with
from pipeline.files import read_json, write_json
from pipeline.freeze import POINT
from pipeline.settings import Settings, load
from pipeline.workflow.layout import Layout

REPLAY_FILE = "replay.json"
REPLAY_SCHEMA = 1
SHOWN = 20
"""Differences that are listed; all of them are counted."""
_KINDS = (
    ("trajectory.jsonl", "dialogues"), ("solution.py", "solutions"), ("attempts.json", "attempts"),
    ("record.json", "records"), ("verdict.json", "verdicts"), ("results.json", "results"),
)  # fmt: skip


class ReplayError(ValueError):
    """A run cannot be replayed, or not into the folder that was named."""


@dataclass(frozen=True)
class Difference:
    """An artefact that is not the same in both runs; None where one of them lacks it."""

    name: str
    first: str | None
    second: str | None


@dataclass(frozen=True)
class Comparison:
    """Two runs, artefact by artefact."""

    first: str
    second: str
    counts: Mapping[str, int]
    """Kind of artefact -> number of those that are identical."""
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
    """What the two were made with, where that differs: no difference of what they found."""

    @property
    def identical(self) -> int:
        """Number of identical artefacts."""
        return sum(self.counts.values())

    @property
    def same(self) -> bool:
        """Whether there are artefacts, and all of them are identical."""
        return self.identical > 0 and not self.differences

    @property
    def sentence(self) -> str:
        """The outcome in one line."""
        told = str(len(self.differences)) if self.differences else "none"
        return f"identical: {self.identical} files; different: {told}"

    def __rich__(self) -> RenderableType:
        """A table of kinds, the differences if there are any, and the outcome in one line."""
        kinds = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("artefacts", "identical", "different"):
            kinds.add_column(name, justify="left" if name == "artefacts" else "right")
        different = Counter(kind_of(d.name) for d in self.differences)
        for kind in sorted({*self.counts, *different}):
            kinds.add_row(kind, str(self.counts.get(kind, 0)), str(different[kind] or "–"))
        parts: list[RenderableType] = [kinds]
        if self.differences:
            parts += [Text(), self._listed()]
        parts += [Text(note, style="dim") for note in self.notes]
        style = "bold green" if self.same else "bold red"
        return Group(*parts, Text(self.sentence, style=style))

    def _listed(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("different", overflow="fold")
        table.add_column(self.first)
        table.add_column(self.second)
        for found in self.differences[:SHOWN]:
            hashes = (h[:12] if h else "not there" for h in (found.first, found.second))
            table.add_row(Text(found.name), *hashes)
        if len(self.differences) > SHOWN:
            table.add_row(f"and {len(self.differences) - SHOWN} more", "", "")
        return table


def replay_folder(run: Path) -> Path:
    """The folder beside `run` into which it is replayed."""
    return run.parent / f"{run.name}-replay"


def prepare_replay(run: Path, target: Path) -> Settings:
    """The settings that make `run` again in the folder `target`, from its recorded replies.

    Writes `target/replay.json`, in which the step `solve` finds where the replies are. The settings
    are those of the run, under the name and in the place of `target`. Raises ReplayError if the
    run is not finished or no model solved it, or if `target` holds something else.
    """
    run, target = run.resolve(), target.resolve()
    layout = _finished(run)
    _solved_by_a_model(run, layout)
    told = {"schema": REPLAY_SCHEMA, "from": Path(os.path.relpath(run, target)).as_posix()}
    if run == target:
        raise ReplayError(f"expected another folder than the run's own for its replay, found {run}")
    file = target / REPLAY_FILE
    before = read_json(file) if file.exists() else None
    if before != told and (before is not None or (target / "sweep.json").exists()):
        raise ReplayError(
            f"expected no run, or a replay of {run.name!r}, in {target}, found another run; remove "
            "that folder, or name another one"
        )
    write_json(file, told)
    settings = load(run / "points" / POINT / "settings.json")
    named = replace(settings.run, name=target.name, outputs=str(target.parent))
    return replace(settings, run=named)


def compare_runs(first: Path, second: Path) -> Comparison:
    """Compare everything that two runs made (see `pipeline.artefacts`), by hash."""
    one, other = artefacts(first), artefacts(second)
    names = [*one, *(name for name in other if name not in one)]
    same = [name for name in names if one.get(name) == other.get(name)]
    return Comparison(
        first=first.resolve().name,
        second=second.resolve().name,
        counts=Counter(map(kind_of, same)),
        differences=tuple(
            Difference(name, one.get(name), other.get(name))
            for name in names
            if one.get(name) != other.get(name)
        ),
        notes=_made_differently(first, second),
    )


def kind_of(name: str) -> str:
    """What sort of artefact a name of `pipeline.artefacts` is."""
    parts = name.split("/")
    if "output" in parts or "sealed" in parts:
        return "outputs"
    if parts[0] == "solutions":
        return "solutions"
    if parts[0] == "figures" or name == "summary.csv":
        return "tables of the report"
    return next((kind for end, kind in _KINDS if parts[-1] == end), "settings and data")


def _finished(run: Path) -> Layout:
    if not (run / "sweep.json").is_file():
        raise ReplayError(
            f"expected a run in {run}, found no sweep.json there; name a finished run"
        )
    layout = Layout.load(run / "sweep.json")
    missing = [name for name in layout.targets() if not (run / name).exists()]
    if missing:
        raise ReplayError(
            f"expected a finished run in {run}, found {len(missing)} files missing, first "
            f"{missing[0]}; continue it with the command that began it, then replay it"
        )
    return layout


def _solved_by_a_model(run: Path, layout: Layout) -> None:
    """ReplayError unless at least one stage has a dialogue, and each has a file for it."""
    paths = [
        run / "points" / plan.name / stage / "trajectory.jsonl"
        for plan in layout.points
        for stage in plan.stages
    ]
    lost = [path for path in paths if not path.is_file()]
    if lost:
        raise ReplayError(
            f"expected the recorded replies in {lost[0]}, found no such file; without them the run "
            "cannot be replayed"
        )
    if not any(entry.kind == "start" for path in paths for entry in read_entries(path)):
        solvers = sorted({plan.solver for plan in layout.points})
        raise ReplayError(
            f"expected a run whose stages a model solved, found {run.name!r} with solver "
            f"{', '.join(solvers)} and no reply; only solver=agent leaves something to replay"
        )


def _made_differently(first: Path, second: Path) -> tuple[str, ...]:
    one, other = made_with(first), made_with(second)
    return tuple(
        f"note: {name} was {one.get(name, 'not there')} and is {other.get(name, 'not there')}"
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    )
