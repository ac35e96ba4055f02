"""Tables of the analysis: yields per category, cut flow, samples, official numbers."""

from __future__ import annotations

from typing import Any

from pipeline.report.content import Sourced
from pipeline.report.folder import PointFolder
from pipeline.report.notation import DASH, number, share, whole, with_error
from pipeline.report.numbers.cutflow import CutFlow, Row
from pipeline.report.numbers.yields import CategoryYields, Yield, everything
from pipeline.report.tables.cell import Cell, Table, numeric


def yields_table(
    point: PointFolder, found: Sourced[tuple[CategoryYields, ...]], exported: str
) -> Table:
    """Signal per process, background, fit and data in the signal window, per category.

    `exported` is the file that holds the same numbers for programs.
    """
    rows = found.value
    channel = point.settings.channel
    low, high = channel.signal_window
    signal, background = found.files[-2], found.files[-1]
    measured = point.own("measure", "measurement.json")
    size = {n: sum(row.signal.get(n, Yield(0, 0)).events for row in rows) for n in _names(rows)}
    names = sorted(size, key=lambda name: (-size[name], name))
    labels = {n: p.label or n for n, p in channel.processes.items()}
    table = []
    for row in (*rows, *([everything(rows)] if len(rows) > 1 else [])):
        cells = [Cell(row.name, tone="strong")]
        cells += [_yield(row.signal.get(name), signal) for name in names]
        cells += [_yield(row.total_signal, signal), _yield(row.total_background, background)]
        for i in (0, 1):
            fitted = row.fitted[i] if row.fitted else None
            cells.append(numeric(number(fitted, 1), measured if row.fitted else None, fitted))
        seen = whole(row.data) if row.data is not None else "blinded"
        cells.append(
            numeric(seen, found.files[0], row.data, tone="" if row.data is not None else "muted")
        )
        cells.append(numeric(number(row.significance), exported, row.significance))
        table.append(tuple(cells))
    origin = (
        "simulation"
        if channel.measure.background == "template"
        else "data that are not tight or not isolated, carried into the window by the sidebands"
    )
    return Table(
        "yields",
        "Yields in the signal window",
        f"Events between {low:g} and {high:g} GeV. S: expected for a Standard Model Higgs boson, "
        f"B: from {origin}; errors are those of the statistics of simulation and control data. "
        "Z: Asimov significance of S over B.",
        (
            "category", *(labels.get(n, n) for n in names), "S", "B", "S fitted", "B fitted",
            "data", "Z",
        ),
        tuple(table),
        totals=frozenset({len(rows)}),
    )  # fmt: skip


def categories_table(point: PointFolder) -> Table | None:
    """Range of the score and expected significance of each category; None if there is no search."""
    path = point.own("categorize", "categories.json")
    if path is None:
        return None
    content = point.json(path)
    rows = [
        (
            Cell(about["name"], tone="strong"),
            numeric(f"{about['range'][0]:.2f} to {about['range'][1]:.2f}", path, about["range"]),
            numeric(number(about["signal"]), path, about["signal"]),
            numeric(number(about["background"]), path, about["background"]),
            numeric(number(about["significance"], 3), path, about["significance"]),
        )
        for about in content["categories"]
    ]
    combined = content["combined"]
    total = (
        Cell("all", tone="strong"),
        *[Cell("")] * 3,
        numeric(number(combined, 3), path, combined),
    )
    return Table(
        "categories",
        "Categories",
        "Ranges of the score, and expected events and Asimov significance in the signal window.",
        ("category", "score", "S", "B", "Z"),
        (*rows, total),
        totals=frozenset({len(rows)}),
    )


def _names(rows: tuple[CategoryYields, ...]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.signal))


def _yield(found: Yield | None, file: str) -> Cell:
    if found is None:
        return numeric(DASH, file, 0.0)
    return numeric(with_error(found.events, found.error), file, found.events)


def cut_flow_table(found: Sourced[CutFlow]) -> Table:
    """Events left after each cut: totals per process, then every sample."""
    flow = found.value
    several = [row for row in flow.totals if sum(s.group == row.group for s in flow.samples) > 1]
    rows = [_flow_row(row, found.files[0], total=True) for row in several]
    rows += [_flow_row(row, found.files[0], total=False) for row in flow.samples]
    return Table(
        "cutflow",
        "Cut flow",
        "Events left after each cut, as counted (weights are not applied), and the share of all "
        "events that is left in the end.",
        ("sample", "process", *flow.cuts, "left"),
        tuple(rows),
        totals=frozenset(range(len(several))),
    )


def _flow_row(row: Row, file: str, total: bool) -> tuple[Cell, ...]:
    name = f"all {row.name}" if total else row.name
    counts = [numeric(whole(n), file, n) for n in row.counts]
    left = row.fractions[-1]
    return (Cell(name, tone="strong"), Cell(row.group), *counts, numeric(share(left), file, left))


def samples_table(point: PointFolder) -> Table:
    """What was read of each sample, how it was verified, and whether it is normalised."""
    done = point.results["samples"]
    rows = []
    for name, sample in sorted(point.fileset["samples"].items()):
        counts = done.get(name, {})
        missing = len(sample["missing"])
        complete = sample["complete"] and counts.get("complete", True)
        usable = sample["normalisable"] and counts.get("normalisable", True)
        state = "complete" if complete else f"{missing} file{'s' * (missing != 1)} missing"
        if not complete and not missing:
            state = "chunks lost"
        rows.append(
            (
                Cell(name, tone="strong"),
                Cell(sample["process"]),
                numeric(whole(len(sample["files"])), point.fileset_file, len(sample["files"])),
                numeric(whole(counts.get("entries")), point.results_file, counts.get("entries")),
                numeric(whole(counts.get("selected")), point.results_file, counts.get("selected")),
                Cell(", ".join(counts.get("verified", [])) or DASH, point.fileset_file),
                Cell(state, point.fileset_file, tone="" if complete else "bad"),
                _normalised(sample, usable, point),
            )
        )
    return Table(
        "samples",
        "Samples",
        "Files found of each sample, how they were verified, and events read and selected.",
        ("sample", "process", "files", "read", "selected", "verified", "state", "normalised"),
        tuple(rows),
    )


def _normalised(sample: dict[str, Any], usable: bool, point: PointFolder) -> Cell:
    if sample["kind"] == "data":
        return Cell(DASH, tone="muted")
    reason = sample["reason"] or ""
    return Cell(
        "yes" if usable else "no", point.fileset_file, tone="" if usable else "bad", hint=reason
    )


def official_table(point: PointFolder) -> Table | None:
    """Comparison with published numbers; None if there is nothing to compare."""
    found = point.results.get("official") or []
    if not found:
        return None
    rows = tuple(
        (
            Cell(row["sample"], tone="strong"),
            Cell(row["quantity"]),
            numeric(_counts(row["official"]), None, row["official"]),
            numeric(_counts(row["found"]), point.results_file, row["found"]),
            _agreement(row["agrees"]),
            Cell(row["worth"], tone="muted"),
        )
        for row in found
    )
    return Table(
        "official",
        "Comparison with official numbers",
        "Counts of the official ATLAS Open Data examples for the same, complete files.",
        ("sample", "quantity", "official", "found", "agrees", "where from"),
        rows,
    )


def _counts(value: Any) -> str:
    if isinstance(value, list):
        return " → ".join(_counts(item) for item in value)
    if isinstance(value, str) or value is None:
        return value or DASH
    return whole(value) if float(value).is_integer() else number(value, 3)


def _agreement(agrees: bool | None) -> Cell:
    if agrees is None:
        return Cell("not compared", tone="muted")
    return Cell("yes", tone="good") if agrees else Cell("no", tone="bad")
