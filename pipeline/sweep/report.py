"""The report of a sweep: the page, the tables, and two small files with what came of each point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.intervals import Rate
from pipeline.evaluation.measures import Measures, measures
from pipeline.evaluation.reading import read_cells
from pipeline.evaluation.tables import write_tables
from pipeline.files import read_json, write_json
from pipeline.report.export import write_csv
from pipeline.sweep_page import make_sweep_page
from pipeline.workflow.layout import Layout

SCHEMA = 1


def make_sweep_report(run: Path) -> None:
    """Write report.html, tables/, summary.json and summary.csv of a sweep, however far it has come.

    Raises EvaluationError if the folder is no run.
    """
    cells = read_cells(run)
    write_tables(run)
    write_csv(run / "summary.csv", _columns(run, cells))
    write_json(run / "summary.json", _document(run, cells))
    make_sweep_page(run)


def _columns(run: Path, cells: Sequence[Cell]) -> dict[str, list[Any]]:
    """One row per cell that is there: the columns of a single run's, and who was asked what."""
    name = Layout.load(run / "sweep.json").run
    done = [cell for cell in cells if cell.outcome != "missing"]
    return {
        "run": [name for _ in done],
        "point": [c.point for c in done],
        "model": [c.model for c in done],
        "setting": [c.setting for c in done],
        "trial": [c.trial for c in done],
        "stage": [c.stage for c in done],
        "outcome": [c.outcome for c in done],
        "rung": [c.rung for c in done],
        "rounds": [c.rounds for c in done],
        "api_calls": [c.api_calls for c in done],
        "prompt_tokens": [c.prompt_tokens for c in done],
        "completion_tokens": [c.completion_tokens for c in done],
        "wall_s": [round(c.agent_s + c.execute_s, 3) for c in done],
        "failure_category": [c.failure.category if c.failure else None for c in done],
        "failure_attribution": [c.failure.attribution if c.failure else None for c in done],
    }


def _document(run: Path, cells: Sequence[Cell]) -> dict[str, Any]:
    layout = Layout.load(run / "sweep.json")
    choices = read_json(run / "sweep.json")["choices"]
    return {
        "schema": SCHEMA,
        "run": layout.run,
        "sweep": True,
        "synthetic": any(point.synthetic for point in layout.points),
        "scripted": sorted({c.model for c in cells if c.scripted}),
        "cells": {"all": len(cells), "missing": sum(c.outcome == "missing" for c in cells)},
        "points": [
            {
                "point": point.name,
                "choices": choices.get(point.name, {}),
                "results": f"points/{point.name}/results.json",
                "stages": {c.stage: c.outcome for c in cells if c.point == point.name},
            }
            for point in layout.points
        ],
        "success": [_rates(m) for m in measures(cells)],
    }


def _rates(found: Measures) -> dict[str, Any]:
    return {
        "config": found.config,
        "stage": found.stage,
        "rated": found.rated,
        "passed": found.passed.passed,
        "rate": found.passed.value,
        "low": found.passed.low,
        "high": found.passed.high,
        "not_rated": found.not_rated,
    }


def sweep_summary(run: Path) -> RenderableType:
    """The leaderboard for the terminal, with intervals, and where the report is."""
    cells = read_cells(run)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "stage", "passed", "rate", "95 %", "rounds", "calls", "not rated"):
        table.add_column(name, justify="left" if name in ("", "stage") else "right")
    before = None
    for found in measures(cells):
        spent = found.spending
        apart = ", ".join(f"{n} {whose}" for whose, n in found.not_rated.items() if n)
        table.add_row(
            Text("" if found.config == before else found.config),
            found.stage,
            f"{found.passed.passed}/{found.passed.n}",
            *_rate(found.passed),
            _number(spent.rounds.value),
            _number(spent.api_calls.value),
            apart,
        )
        before = found.config
    notes = []
    if scripted := sorted({c.model for c in cells if c.scripted}):
        notes.append(f"{', '.join(scripted)}: scripted replies, no language model")
    if missing := sum(c.outcome == "missing" for c in cells):
        notes.append(f"{missing} of {len(cells)} stages of points are not computed yet")
    return Group(
        table, *(Text(note, style="dim") for note in notes), Text(f"\nreport  {run}/report.html")
    )


def _rate(rate: Rate) -> tuple[str, str]:
    if rate.value is None or rate.low is None or rate.high is None:
        return "–", "–"
    return f"{rate.value:.2f}", f"{rate.low:.2f} – {rate.high:.2f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
