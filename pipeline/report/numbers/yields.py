"""Expected signal, background and data in the signal window, per category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.physics.significance import asimov_z, combine
from pipeline.report.numbers.binned import Array


@dataclass(frozen=True)
class Yield:
    """A sum of weights with the square root of the sum of squared weights."""

    events: float
    error: float


@dataclass(frozen=True)
class CategoryYields:
    """One category in the signal window; data and fit are None where there are none to show."""

    name: str
    signal: Mapping[str, Yield]
    background: Mapping[str, Yield]
    data: int | None
    fitted: tuple[float, float] | None
    """Fitted (signal, background) events in the window."""
    combined: float | None = None
    """Significance of several categories together; None for a single one."""

    @property
    def total_signal(self) -> Yield:
        return together(tuple(self.signal.values()))

    @property
    def total_background(self) -> Yield:
        return together(tuple(self.background.values()))

    @property
    def significance(self) -> float | None:
        """Asimov significance of the expected yields; None where one of them is not positive."""
        if self.combined is not None:
            return self.combined
        s, b = self.total_signal.events, self.total_background.events
        return asimov_z(s, b) if s > 0 and b > 0 else None


def together(parts: Sequence[Yield]) -> Yield:
    """The sum of independent yields."""
    error = float(np.sqrt(sum(part.error**2 for part in parts)))
    return Yield(float(sum(part.events for part in parts)), error)


def everything(rows: Sequence[CategoryYields]) -> CategoryYields:
    """All categories together; their significances add in quadrature."""
    data = [row.data for row in rows if row.data is not None]
    fitted = [row.fitted for row in rows if row.fitted is not None]
    known = [row.significance for row in rows if row.significance is not None]
    return CategoryYields(
        name="all",
        signal=_sums([row.signal for row in rows]),
        background=_sums([row.background for row in rows]),
        data=sum(data) if len(data) == len(rows) else None,
        fitted=(sum(s for s, _ in fitted), sum(b for _, b in fitted)) if fitted else None,
        combined=combine(known) if known else None,
    )


def _sums(parts: Sequence[Mapping[str, Yield]]) -> dict[str, Yield]:
    """The sum over categories of each process."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: together([part[name] for part in parts if name in part]) for name in names}


def yields_by_process(processes: Array, weights: Array, order: Sequence[str]) -> dict[str, Yield]:
    """Sums of weights of rows by the name of their process, in `order`, then by name."""
    names = [*order, *sorted(set(processes) - set(order))]
    return {
        name: Yield(float(weights[chosen].sum()), float(np.sqrt((weights[chosen] ** 2).sum())))
        for name in names
        if (chosen := processes == name).any()
    }


def yield_columns(rows: Sequence[CategoryYields]) -> dict[str, list[Any]]:
    """One row per category, for a CSV file."""
    columns: dict[str, list[Any]] = {"category": [row.name for row in rows]}
    for part in ("signal", "background"):
        names = dict.fromkeys(name for row in rows for name in getattr(row, part))
        for name in names:
            found = [getattr(row, part).get(name, Yield(0.0, 0.0)) for row in rows]
            columns[name] = [y.events for y in found]
            columns[f"{name}_error"] = [y.error for y in found]
    columns["data"] = [row.data for row in rows]
    columns["fit_signal"] = [row.fitted[0] if row.fitted else None for row in rows]
    columns["fit_background"] = [row.fitted[1] if row.fitted else None for row in rows]
    columns["significance"] = [row.significance for row in rows]
    return columns
