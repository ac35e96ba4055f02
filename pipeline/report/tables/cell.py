"""A table as the page shows it: rows of cells, each with its text and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Tone = Literal["", "good", "bad", "muted", "strong"]


@dataclass(frozen=True)
class Cell:
    """One entry; `file` is relative to the run directory, `value` what a program reads."""

    text: str
    file: str | None = None
    value: Any = None
    tone: Tone = ""
    numeric: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under a header; `totals` are the places of rows that sum up others."""

    name: str
    title: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: frozenset[int] = frozenset()


def numeric(text: str, file: str | None, value: Any, hint: str = "", tone: Tone = "") -> Cell:
    """A number."""
    return Cell(text, file, value, tone, numeric=True, hint=hint)
