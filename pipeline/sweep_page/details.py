"""What opens behind one trial of a stage: its rounds, verdict, figures and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.evaluation.cell import Cell
from pipeline.files import RunFileError, read_json
from pipeline.sweep_page.figures import Drawn, Figures
from pipeline.sweep_page.observables import ChannelAxes
from pipeline.sweep_page.pieces import Pieces
from pipeline.sweep_page.rounds import Conversation, conversation
from pipeline.workflow.layout import Layout, PointPlan

FILES = (
    "trajectory.jsonl", "solution.py", "attempts.json", "record.json", "verdict.json", "output",
)  # fmt: skip


@dataclass(frozen=True)
class Caps:
    """How much of a trial the page holds: characters of text, and checks of its verdict."""

    text: int
    checks: int


CAPS = (
    Caps(64_000, 60), Caps(32_000, 40), Caps(24_000, 30), Caps(16_000, 25), Caps(12_000, 20),
    Caps(8_000, 15), Caps(4_000, 10), Caps(2_000, 5), Caps(500, 3), Caps(0, 0),
)  # fmt: skip
"""From most to least; a page takes the first with which it is small enough."""
BUDGET = 8_000_000
"""Bytes that all details of a page may take."""


@dataclass(frozen=True)
class Details:
    """Packed details: per (point, stage) the address of its document, and the chunks."""

    addresses: Mapping[tuple[str, str], str]
    chunks: tuple[str, ...]
    caps: Caps
    kept: int
    added: int

    @property
    def size(self) -> int:
        """Bytes on the page."""
        return sum(map(len, self.chunks))


@dataclass(frozen=True)
class _Trial:
    """All that is known of one trial, before anything is cut."""

    cell: Cell
    synthetic: bool
    talk: Conversation
    verdict: Mapping[str, Any]
    figures: Sequence[Drawn]
    figures_note: str
    files: tuple[str, ...]

    def document(self, pieces: Pieces, caps: Caps) -> dict[str, Any]:
        """The trial with addresses in place of what others may share."""
        group = self.cell.stage
        return {
            **self.talk.to_json(pieces, group, caps.text),
            "verdict": pieces.add(_verdict(self.verdict, caps.checks), group),
            "figures": [[pieces.add(one, group) for one in drawn] for drawn in self.figures],
            "figures_note": self.figures_note,
            "synthetic": self.synthetic,
            "scripted": self.cell.scripted,
            "files": self.files,
        }


def pack(run: Path, layout: Layout, cells: Iterable[Cell], budget: int = BUDGET) -> Details:
    """The details of all cells that were computed, with the largest caps that `budget` allows.

    Everything is read once, whatever is cut.
    """
    plans = {plan.name: plan for plan in layout.points}
    axes = {name: _axes(run, name) for name in plans}
    figures = Figures(run)
    trials = [
        _read_trial(run, cell, plans[cell.point], axes[cell.point], figures)
        for cell in cells
        if (run / "points" / cell.point / cell.stage).is_dir()
    ]
    for caps in CAPS[:-1]:
        packed = _pack(trials, caps)
        if packed.size <= budget:
            return packed
    return _pack(trials, CAPS[-1])


def _pack(trials: Iterable[_Trial], caps: Caps) -> Details:
    pieces = Pieces()
    addresses = {
        (t.cell.point, t.cell.stage): pieces.add(t.document(pieces, caps), t.cell.stage)
        for t in trials
    }
    return Details(addresses, tuple(pieces.chunks()), caps, pieces.kept, pieces.added)


def _read_trial(
    run: Path, cell: Cell, plan: PointPlan, axes: ChannelAxes | None, figures: Figures
) -> _Trial:
    folder = f"points/{cell.point}/{cell.stage}"
    drawn: Sequence[Drawn] = ()
    note = "No figures: the settings of the point cannot be read."
    if axes is not None:
        reference = f"reference/{plan.reference}/{cell.stage}"
        drawn, note = figures.of(folder, reference, cell.stage, axes)
    talk = conversation(run / folder / "trajectory.jsonl")
    verdict = _read(run / folder / "verdict.json")
    if "fault" in verdict:
        verdict["fault"] = _within(run, verdict["fault"])
    return _Trial(
        cell=cell,
        synthetic=plan.synthetic,
        talk=replace(talk, note=_within(run, talk.note)),
        verdict=verdict,
        figures=drawn,
        figures_note=_within(run, note),
        files=tuple(name for name in FILES if (run / folder / name).exists()),
    )


def _verdict(read: Mapping[str, Any], most: int) -> dict[str, Any]:
    """The checks of a verdict, failed ones first, at most `most` of each list that passed."""
    found: dict[str, Any] = {"failure": read.get("failure"), "fault": read.get("fault", "")}
    for name in ("checks", "guard"):
        checks = read.get(name, [])
        failed = [c for c in checks if not c["passed"]]
        passed = [c for c in checks if c["passed"]]
        # A stage that failed everywhere may have hundreds; twice as many as of the passed are kept.
        shown = [*failed[: 2 * most], *passed[:most]]
        found[name] = [_check(c) for c in shown]
        found[f"{name}_left"] = len(checks) - len(shown)
        found[f"{name}_count"] = [len(passed), len(failed)]
    return found


def _check(check: Mapping[str, Any]) -> list[Any]:
    """Passed, name, expected, found, detail, rung."""
    values = (_text(check["expected"]), _text(check["found"]))
    return [int(check["passed"]), check["name"], *values, check["detail"], check.get("rung") or ""]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.9g}"
    text = str(value)
    return text if len(text) <= 400 else f"{text[:400]} [...]"


def _read(path: Path) -> dict[str, Any]:
    """A JSON object; empty if it is not there, with its `fault` if it cannot be read."""
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = read_json(path)
    except (RunFileError, UnicodeDecodeError) as error:
        return {"fault": str(error)}
    return found


def _axes(run: Path, point: str) -> ChannelAxes | None:
    """What a point's figures need; None if its settings are not there or not whole."""
    try:
        return ChannelAxes.of(_read(run / "points" / point / "settings.json"))
    except (KeyError, TypeError, ValueError, ImportError):
        return None


def _within(run: Path, text: str) -> str:
    """A sentence with paths of the run as the page's links have them, wherever the run is."""
    return text.replace(f"{run}/", "")
