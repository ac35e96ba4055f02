"""Figures and their numbers as files: PNG, PDF and SVG, CSV, and histograms in UHI JSON."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uhi.io.json

from pipeline.files import replacing, write_json
from pipeline.report.figures.style import save
from pipeline.report.gallery import Columns, Plate


@dataclass(frozen=True)
class FigureFiles:
    """The files of one figure (paths relative to the run directory), and what the page embeds."""

    png: str
    pdf: str
    csv: str
    json: str
    svg: bytes


def export(plate: Plate, run: Path, folder: str) -> FigureFiles:
    """Draw a plate and write <folder>/<name>.{png,pdf} and <folder>/data/<name>.{csv,json}."""
    stem = run / folder / plate.name
    svg = save(plate.draw(), stem)
    table = f"{folder}/data/{plate.name}.csv"
    document = f"{folder}/data/{plate.name}.json"
    write_csv(run / table, plate.columns)
    write_numbers(run / document, plate)
    drawn = f"{folder}/{plate.name}"
    return FigureFiles(f"{drawn}.png", f"{drawn}.pdf", table, document, svg)


def write_csv(path: Path, columns: Columns) -> None:
    """Write columns of equal length as CSV with a header; None and NaN are empty."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow(["" if _missing(value) else value for value in row])


def write_numbers(path: Path, plate: Plate) -> None:
    """Write a plate's histograms by name in the UHI serialisation; its columns if it has no bins.

    The first is what `uhi.schema.validate` accepts and `hist.Hist(uhi.io.json.object_hook(...))`
    reads back.
    """
    if not plate.histograms:
        columns = {
            name: [None if _missing(value) else value for value in values]
            for name, values in plate.columns.items()
        }
        write_json(path, {"schema": 1, "columns": columns})
        return
    text = json.dumps(dict(plate.histograms), default=uhi.io.json.default)
    write_json(path, json.loads(text))


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
