"""The run in two small files: `summary.csv`, a row per stage, and `summary.json`, per point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.files import write_json
from pipeline.report.export import FigureFiles, write_csv
from pipeline.report.folder import PointFolder
from pipeline.report.model import solvers

SUMMARY_SCHEMA = 1


def summary_columns(points: Sequence[PointFolder]) -> dict[str, list[Any]]:
    """One row per point and stage, in the order of the stages."""
    rows = [
        (point, stage, point.results["stages"][stage])
        for point in points
        for stage in point.settings.channel.stages
        if stage in point.results["stages"]
    ]
    return {
        "run": [point.run_name for point, _, _ in rows],
        "point": [point.name for point, _, _ in rows],
        "stage": [stage for _, stage, _ in rows],
        "outcome": [about["outcome"] for _, _, about in rows],
        "rung": [about["rung"] for _, _, about in rows],
        "rounds": [about["rounds"] for _, _, about in rows],
        "api_calls": [about["api_calls"] for _, _, about in rows],
        "prompt_tokens": [about["tokens"]["prompt"] for _, _, about in rows],
        "completion_tokens": [about["tokens"]["completion"] for _, _, about in rows],
        "wall_s": [about["wall_s"] for _, _, about in rows],
        "failure_category": [(about["failure"] or {}).get("category") for _, _, about in rows],
        "failure_attribution": [
            (about["failure"] or {}).get("attribution") for _, _, about in rows
        ],
    }


def summary_document(
    points: Sequence[PointFolder], figures: Mapping[str, Mapping[str, FigureFiles]]
) -> dict[str, Any]:
    """The content of `summary.json`; `figures` by point and name."""
    return {
        "schema": SUMMARY_SCHEMA,
        "run": points[0].run_name,
        "points": [_condensed(point, figures[point.name]) for point in points],
    }


def _condensed(point: PointFolder, figures: Mapping[str, FigureFiles]) -> dict[str, Any]:
    results, settings = point.results, point.settings
    data = [s for s in results["samples"].values() if s["kind"] == "data"]
    who = solvers(point)
    return {
        "point": point.name,
        "results": point.results_file,
        "channel": settings.channel.name,
        "data": settings.data.name,
        "release": settings.data.release,
        "luminosity_fb": settings.data.luminosity,
        "synthetic": settings.data.labelled_synthetic,
        "partial": point.partial,
        "unblind": settings.unblind,
        "solver": settings.solver.name,
        "model": settings.model.name,
        "scripted": who is not None and who.scripted,
        "seed": settings.seed,
        "trial": settings.trial,
        "entries": _total(data, "entries"),
        "selected": _total(data, "selected"),
        "stages": {name: about["outcome"] for name, about in results["stages"].items()},
        "categories": results["categories"],
        "measurement": results["measurement"],
        "measurement_reason": results["measurement_reason"],
        "figures": {
            name: {"png": f.png, "pdf": f.pdf, "csv": f.csv, "json": f.json}
            for name, f in figures.items()
        },
    }


def _total(samples: Sequence[Mapping[str, Any]], key: str) -> int | None:
    """Sum over samples that have the count; None if none has."""
    known = [sample[key] for sample in samples if sample[key] is not None]
    return sum(known) if known else None


def write_summary(
    run: Path, points: Sequence[PointFolder], figures: Mapping[str, Mapping[str, FigureFiles]]
) -> tuple[str, str]:
    """Write both files into the run directory; their names."""
    write_csv(run / "summary.csv", summary_columns(points))
    write_json(run / "summary.json", summary_document(points, figures))
    return "summary.json", "summary.csv"
