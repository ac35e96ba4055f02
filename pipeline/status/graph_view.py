"""The graph in the view: the stages of one point, or the points of a sweep in counts and lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.status.snapshot import Owner, StepState
from pipeline.status.words import (
    COLOURS,
    clock,
    count,
    glyph,
    legend,
    short,
    state,
    title_of,
    yielding,
)

ORDER: tuple[StepState, ...] = (
    "error", "running", "queued", "failed", "waiting", "done", "skipped",
)  # fmt: skip
"""What is shown first of many points."""
COUNTED: tuple[StepState, ...] = (
    "done", "failed", "skipped", "running", "queued", "error", "waiting",
)  # fmt: skip


def one_point(owner: Owner) -> list[RenderableType]:
    """The stages of a point: steps, rung, what writing them took, and why one failed."""
    agents = any(stage.rounds or stage.spent.calls for stage in owner.stages)
    took = ("rounds", "calls", "tokens") if agents else ()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, width in (("stage", 10), ("solve", 7), ("execute", 7), ("judge", 7), ("rung", 8)):
        table.add_column(name, no_wrap=name != "rung", min_width=width)
    for name in (*took, "time"):
        table.add_column(name, justify="right", no_wrap=True, min_width=6)
    for stage in owner.stages:
        spent = stage.spent
        counts = (str(stage.rounds or ""), count(spent.calls or None), count(spent.tokens or None))
        table.add_row(
            stage.stage,
            *(state(step.state) for step in stage.steps),
            yielding(stage.rung or ("reference" if stage.outcome == "reference" else "")),
            *(counts if agents else ()),
            clock(stage.wall_s),
        )
    return [table, *_reasons(owner)]


def _reasons(owner: Owner) -> list[RenderableType]:
    """Why stages failed, and why others had nothing to do; one line for each reason."""
    stages: dict[tuple[StepState, str], list[str]] = {}
    for stage in owner.stages:
        if stage.failure and stage.state in ("failed", "skipped"):
            stages.setdefault((stage.state, stage.failure), []).append(stage.stage)
    return [
        Text(short(f"{', '.join(names)} {told}: {why}", 100), style=COLOURS[told])
        for (told, why), names in list(stages.items())[:3]
    ]


def reference_lines(references: Sequence[Owner]) -> list[RenderableType]:
    """A line for each reference: a sign for each of its stages."""
    lines: list[RenderableType] = []
    for owner in references[:2]:
        parts: list[Text | tuple[str, str]] = [(title_of(owner), "")]
        for stage in owner.stages:
            parts += [Text(f"  {stage.stage} "), glyph(stage.state)]
        lines.append(Text.assemble(*parts))
    return [Text(), *lines] if lines else []


def many_points(owners: Sequence[Owner], rows: int) -> list[RenderableType]:
    """How many points are where in each stage, and lines for those that matter most now."""
    names = list(dict.fromkeys(s.stage for owner in owners for s in owner.stages))
    points = [owner for owner in owners if owner.is_point]
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    for name in (*names, "tokens"):
        table.add_column(name, justify="right", no_wrap=True)
    counts = {n: Counter(s.state for o in points for s in o.stages if s.stage == n) for n in names}
    whole = Counter(owner.state for owner in points)
    for told in COUNTED:
        if whole[told] or any(counts[name][told] for name in names):
            many = "point " if whole[told] == 1 else "points"
            label = Text.assemble((f"{whole[told]:>5} {many} ", "bold"), state(told))
            table.add_row(label, *(Text(str(counts[n][told] or ""), COLOURS[told]) for n in names))
    shown = sorted(owners, key=lambda owner: (ORDER.index(owner.state), owner.is_point))
    room = max(3, rows - table.row_count - 3)
    room -= len(shown) > room  # the line that counts the others
    table.add_row()
    for owner in shown[:room]:
        table.add_row(*_line(owner, names))
    parts: list[RenderableType] = [table]
    if left := shown[room:]:
        others = Counter(owner.state for owner in left)
        told_others = ", ".join(f"{others[s]} {s}" for s in COUNTED if others[s])
        parts.append(Text(f"… and {len(left)} more: {told_others}", style="dim"))
    return [*parts, legend()]


def _line(owner: Owner, names: Sequence[str]) -> list[Text | str]:
    """A point on one line: a sign for each stage, and its tokens."""
    stages = {stage.stage: stage for stage in owner.stages}
    signs = [glyph(stages[n].state) if n in stages else Text() for n in names]
    tokens = sum(stage.spent.tokens for stage in owner.stages)
    return [
        Text(short(title_of(owner), 30), COLOURS[owner.state]),
        *signs,
        count(tokens or None),
    ]
