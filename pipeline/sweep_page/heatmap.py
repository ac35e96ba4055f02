"""The heat map of success: a row per configuration, a column per stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.measures import ALL_STAGES, Measures
from pipeline.report.notation import DASH
from pipeline.sweep_page.leaderboard import about_row, outcomes_by_place

COLOURS = (
    "#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369",
    "#e1cc55", "#fee838",
)  # fmt: skip
"""Cividis (J. R. Nuñez et al., PLOS ONE 13 (2018) e0199239): even in lightness, for every eye."""
LIGHT_TEXT = 5
"""Up to this colour the text on it is white."""


@dataclass(frozen=True)
class HeatCell:
    """One cell: what it says, its colour's class, and the sentence for those who do not see it."""

    stage: str
    text: str
    below: str
    interval: str
    style: str
    hint: str
    label: str


@dataclass(frozen=True)
class HeatRow:
    """A configuration with a cell per stage."""

    config: str
    cells: tuple[HeatCell, ...]
    about: Mapping[str, str]


@dataclass(frozen=True)
class HeatMap:
    """All of it."""

    stages: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    colours: tuple[str, ...] = COLOURS


def heat_map(found: Sequence[Measures], cells: Sequence[Cell], stages: Sequence[str]) -> HeatMap:
    """Rows in the order of the leaderboard."""
    by_place = {(m.config, m.stage): m for m in found}
    whole = [m for m in found if m.stage == ALL_STAGES]
    whole.sort(key=lambda m: -(m.passed.value if m.passed.value is not None else -1))
    seen = outcomes_by_place(cells)
    rows = tuple(
        HeatRow(
            m.config,
            tuple(_cell(m.config, stage, by_place.get((m.config, stage))) for stage in stages),
            about_row(m, seen, stage=False),
        )
        for m in whole
    )
    return HeatMap(tuple(stages), rows)


def colour_rules() -> str:
    """CSS of the colours' classes, which are h0 to h9."""
    return "".join(
        f"#heatmap .h{i}{{background:{colour};color:{'#fff' if i < LIGHT_TEXT else '#111'}}}\n"
        for i, colour in enumerate(COLOURS)
    )


def _cell(config: str, stage: str, m: Measures | None) -> HeatCell:
    if m is None:
        hint = f"{config}, {stage}: not asked for"
        return HeatCell(stage, DASH, "", "", "h-none", hint, hint)
    rate = m.passed
    if rate.value is None or rate.low is None or rate.high is None:
        parts = {"not computed yet": m.missing, "not reached": m.not_reached, **m.not_rated}
        why = ", ".join(f"{name} {n}" for name, n in parts.items() if n) or "our own solution"
        hint = f"{config}, {stage}: no trial that counts ({why})"
        return HeatCell(stage, DASH, "n = 0", "", "h-none", hint, hint)
    style = f"h{min(len(COLOURS) - 1, int(rate.value * len(COLOURS)))}"
    hint = (
        f"{config}, {stage}: {rate.passed} of {rate.n} passed, {rate.value:.3f} with 95 % "
        f"interval {rate.low:.3f} to {rate.high:.3f}"
    )
    below = f"{rate.passed}/{rate.n}"
    interval = f"{rate.low:.2f}{DASH}{rate.high:.2f}"
    label = f"{hint}; show its trials"
    return HeatCell(stage, f"{rate.value:.2f}", below, interval, style, hint, label)
