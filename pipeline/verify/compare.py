"""Two files of a report: the first place in which they differ, in the words of a reader."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.verify.findings import Difference, differences, quoted
from pipeline.verify.pages import of_pages

LAYOUT = "the layout of the file"
"""The place of a difference where all values are the same."""


def first_difference(expected: Path, found: Path) -> Difference | None:
    """The first difference of two files of the same kind; None if their bytes are the same."""
    if expected.read_bytes() == found.read_bytes():
        return None
    try:
        if expected.suffix == ".html":
            return of_pages(_text(expected), _text(found))
        if expected.suffix == ".csv":
            return _of_tables(_cells(expected), _cells(found))
        if expected.suffix == ".parquet":
            return _of_parquet(pq.read_table(expected), pq.read_table(found))
        if expected.suffix == ".json":
            return _of_json(json.loads(_text(expected)), json.loads(_text(found)))
    except (ValueError, pa.ArrowException, OSError) as error:
        return Difference("a file that can be read", "the form of its kind", str(error))
    return Difference("the drawing", "the bytes drawn again", "other bytes", drawing=True)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _of_json(expected: Any, found: Any) -> Difference:
    for place, one, other in differences(expected, found):
        return Difference(place, quoted(one), quoted(other))
    return Difference(LAYOUT, "canonical JSON", "the same values otherwise")


def _cells(path: Path) -> list[list[str]]:
    return list(csv.reader(_text(path).splitlines()))


def _of_parquet(expected: pa.Table, found: pa.Table) -> Difference:
    """The first column or cell that differs; the same cells may be written by another pyarrow."""
    for place, one, other in differences(_kinds(expected), _kinds(found)):
        return Difference(f"column {place}", quoted(one), quoted(other))
    told = _of_tables(_rows(expected), _rows(found))
    return replace(told, drawing=told.place == LAYOUT)


def _kinds(table: pa.Table) -> dict[str, str]:
    return {field.name: str(field.type) for field in table.schema}


def _rows(table: pa.Table) -> list[list[Any]]:
    return [table.column_names, *([*row.values()] for row in table.to_pylist())]


def _of_tables(one: list[list[Any]], other: list[list[Any]]) -> Difference:
    """The first cell that differs; lines are counted as in a CSV file, with the header as 1."""
    header = one[0] if one else []
    for number, (row, told) in enumerate(zip_longest(one, other), start=1):
        if row is None or told is None:
            return Difference("number of lines", str(len(one)), str(len(other)))
        for column, (cell, said) in enumerate(zip_longest(row, told)):
            if not _same(cell, said):
                name = header[column] if column < len(header) else f"column {column + 1}"
                return Difference(f"line {number}, {name}", quoted(cell), quoted(said))
    return Difference(LAYOUT, "the same cells", "otherwise written")


def _same(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))  # a NaN is none of itself
