"""Making the page of a sweep: read the run, measure, draw, write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.measures import measures
from pipeline.evaluation.reading import read_cells
from pipeline.evaluation.tables import table_files
from pipeline.files import replacing
from pipeline.report.notation import number
from pipeline.sweep_page.chart import failure_charts, rounds_chart, tradeoff_charts
from pipeline.sweep_page.comparison import (
    failures_table,
    pairs_table,
    physics_table,
    repeatability_table,
)
from pipeline.sweep_page.conditions import Conditions
from pipeline.sweep_page.details import BUDGET, CAPS, Details, pack
from pipeline.sweep_page.heatmap import heat_map
from pipeline.sweep_page.identical import deterministic, identical
from pipeline.sweep_page.leaderboard import leaderboard
from pipeline.sweep_page.page import SweepView, render
from pipeline.sweep_page.trials import packed, trials_table
from pipeline.workflow.layout import Layout

SUMMARIES = ("summary.csv", "summary.json")
"""Files with the numbers for programs, beside the tables, where the run has them."""
METHOD = (
    "All intervals are at 95 %: Wilson's for rates, Student's for means, Newcombe's for "
    "differences of paired rates."
)


def make_sweep_page(run: Path, budget: int = BUDGET) -> Path:
    """Write `<run>/report.html` of a sweep, however far it has come; its path.

    Its trials take at most `budget` bytes: texts are cut where they would take more.
    The same files give the same bytes. Raises EvaluationError if the folder is no run.
    """
    run = Path(run)
    cells = read_cells(run)
    layout = Layout.load(run / "sweep.json")
    details = pack(run, layout, cells, budget)
    text = render(
        _view(run, layout, cells, details),
        packed(trials_table(cells, details.addresses)),
        details.chunks,
    )
    with replacing(run / "report.html") as temporary:
        temporary.write_bytes(text.encode("utf-8", errors="replace"))
    return run / "report.html"


def _view(run: Path, layout: Layout, cells: Sequence[Cell], details: Details) -> SweepView:
    found = measures(cells)
    conditions = Conditions.of(run, [p.name for p in layout.points])
    asked = {c: deterministic(points) for c, points in conditions.by_config(cells).items()}
    order = {s: i for p in layout.points for i, s in enumerate(p.channel_stages)}
    stages = sorted({c.stage for c in cells}, key=lambda s: order.get(s, len(order)))
    synthetic = any(p.synthetic for p in layout.points)
    return SweepView(
        run=layout.run,
        title=_title(layout, cells),
        synthetic=synthetic,
        badges=_badges(cells, synthetic),
        statements=_statements(cells, synthetic),
        facts=conditions.facts(),
        stages=tuple(stages),
        models=tuple(dict.fromkeys(c.model for c in cells)),
        leaderboard=leaderboard(found, cells),
        heatmap=heat_map(found, cells, stages),
        failures=failure_charts(cells),
        kinds=failures_table(cells),
        tradeoffs=tradeoff_charts(found),
        rounds=rounds_chart(cells),
        identical=identical(run, conditions, cells),
        repeatability=repeatability_table(found, cells, asked),
        pairs=pairs_table(cells),
        physics=physics_table(found, cells),
        cut=_cut(details, conditions.unblinded),
        method=METHOD,
        files=tuple(n for n in (*SUMMARIES, *table_files()) if (run / n).is_file()),
    )


def _title(layout: Layout, cells: Sequence[Cell]) -> str:
    configs = len({c.config for c in cells})
    return (
        f"{_count(configs, 'configuration')}, {_count(len(layout.points), 'point')}, "
        f"{_count(len(cells), 'trial')} of stages"
    )


def _badges(cells: Sequence[Cell], synthetic: bool) -> tuple[tuple[str, str], ...]:
    found = []
    if synthetic:
        found.append(("Synthetic data", "synthetic"))
    if any(c.scripted for c in cells):
        whole = all(c.scripted for c in cells)
        found.append(("Scripted replies" if whole else "Some replies scripted", "warning"))
    done = len(cells) - _missing(cells)
    if done < len(cells):
        found.append((f"Partial: {done} of {len(cells)} done", "warning"))
    return tuple(found)


def _statements(cells: Sequence[Cell], synthetic: bool) -> tuple[str, ...]:
    found = []
    if synthetic:
        found.append(
            "Synthetic data: made by a generator with the names of the ATLAS Open Data release. "
            "Nothing on this page is a result about nature."
        )
    scripted = list(dict.fromkeys(c.model for c in cells if c.scripted))
    if scripted:
        found.append(
            "Scripted replies: written by people and read from files. What this page says of "
            f"{', '.join(scripted[:8])}{' and others' if len(scripted) > 8 else ''} shows that the "
            "pipeline works, and measures no language model."
        )
    if missing := _missing(cells):
        found.append(
            f"The sweep is not complete: {missing} of {_count(len(cells), 'trial')} of stages are "
            "not computed yet. All numbers are of those that are."
        )
    return tuple(found)


def _missing(cells: Sequence[Cell]) -> int:
    return sum(c.outcome == "missing" for c in cells)


def _cut(details: Details, unblinded: bool) -> str:
    caps = details.caps
    why = " to keep this page small" if caps != CAPS[0] else ""
    hidden = (
        "with unblind=true these are all events."
        if unblinded
        else "blinded events are in none. Checks are made of frozen code and count them too."
    )
    return (
        f"This page holds at most {number(caps.text, 0)} characters of text and {caps.checks} "
        f"passed checks per trial and list{why}, the longest texts cut first; what is cut says so "
        "and names the file that has the rest. Prompts are in the files trajectory.jsonl. Figures "
        f"show what solvers could see: {hidden}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
