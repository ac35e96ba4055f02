"""Counts in shared bins, small enough to travel inside a page."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from pipeline.physics.arrays import Floats

DIGITS = 5
"""Significant digits of a bin's content: more cannot be seen in a drawing."""
ROWS_AT_A_TIME = 1_000_000


@dataclass(frozen=True)
class Observable:
    """What is filled: a column of some tables, in bins, each row with a weight.

    `weight` names the column of weights; '' counts rows, so that the errors are sqrt(N). With
    `per_generated` a weight is multiplied by the cross-section and divided by the sum of weights,
    which turns simulated events of several processes into a cross-section in pb.
    """

    key: str
    title: str
    column: str
    axis: str
    """With `_{...}` for what is set below the line."""
    unit: str
    low: float
    high: float
    bins: int
    weight: str = ""
    per_generated: bool = False
    density: bool = False
    """Drawn with unit area."""
    quantity: str = "events"
    hidden: tuple[float, float] | None = None
    """Range that holds nothing, because what is in it is blinded."""

    @property
    def edges(self) -> Floats:
        return np.linspace(self.low, self.high, self.bins + 1)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that filling reads."""
        extra = ("xsection", "sum_weights") if self.per_generated else ()
        return tuple(dict.fromkeys(c for c in (self.column, self.weight, *extra) if c))


@dataclass(frozen=True)
class Contents:
    """Sums of weights per bin, their variances, shapes (bins,), and what fell beside."""

    values: Floats
    variances: Floats
    below: float
    above: float
    rows: int
    lost: int
    """Rows without a finite value or weight."""

    def __add__(self, other: Contents) -> Contents:
        return Contents(
            self.values + other.values, self.variances + other.variances,
            self.below + other.below, self.above + other.above,
            self.rows + other.rows, self.lost + other.lost,
        )  # fmt: skip

    def to_json(self, density: bool) -> dict[str, Any]:
        """Values and errors rounded; with `density` divided by the whole sum of weights."""
        total = float(self.values.sum()) + self.below + self.above
        scale = 1 / total if density and total > 0 else 1.0
        return {
            "y": _rounded(self.values * scale),
            "e": _rounded(np.sqrt(self.variances) * scale),
            "below": _round(self.below * scale),
            "above": _round(self.above * scale),
            "sum": _round(total),
            "rows": self.rows,
            "lost": self.lost,
        }


def empty(observable: Observable) -> Contents:
    """Nothing, in the bins of `observable`."""
    nothing = np.zeros(observable.bins)
    return Contents(nothing, nothing, 0.0, 0.0, 0, 0)


def fill(observable: Observable, values: Floats, weights: Floats | None) -> Contents:
    """The contents of bins; `weights` None counts rows. The last bin holds its upper edge."""
    given = np.ones(len(values)) if weights is None else weights
    good = np.isfinite(values) & np.isfinite(given)
    x, w = values[good], given[good]
    edges = observable.edges
    with np.errstate(over="ignore", invalid="ignore"):  # a model's weights may be of any size
        values_in = np.histogram(x, bins=edges, weights=w)[0].astype(float)
        squares_in = np.histogram(x, bins=edges, weights=w * w)[0].astype(float)
    return Contents(
        values=values_in,
        variances=squares_in,
        below=float(w[x < edges[0]].sum()),
        above=float(w[x > edges[-1]].sum()),
        rows=len(values),
        lost=int(len(values) - good.sum()),
    )


def fill_file(path: Path, observables: Iterable[Observable]) -> dict[str, Contents]:
    """The contents of every observable whose columns the Parquet file `path` has, by its key.

    Rows are read in parts, so that a file of any size fits in memory.
    """
    file = pq.ParquetFile(path)
    names = set(file.schema_arrow.names)
    wanted = [o for o in observables if names.issuperset(o.columns)]
    found = {o.key: empty(o) for o in wanted}
    columns = sorted({c for o in wanted for c in o.columns})
    if not wanted:
        return found
    for part in file.iter_batches(ROWS_AT_A_TIME, columns=columns, use_threads=False):
        read = {c: _floats(part.column(c).to_numpy(zero_copy_only=False)) for c in columns}
        for o in wanted:
            weights = read[o.weight] if o.weight else None
            if weights is not None and o.per_generated:
                with np.errstate(divide="ignore", invalid="ignore"):
                    weights = weights * read["xsection"] / read["sum_weights"]
            found[o.key] = found[o.key] + fill(o, read[o.column], weights)
    return found


def _floats(values: Any) -> Floats:
    """The column as numbers; NaN throughout where a model's column holds something else."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return np.full(len(values), np.nan)


def _rounded(values: Floats) -> list[float]:
    return [_round(float(v)) for v in values]


def _round(value: float) -> float:
    return finite(float(f"{value:.{DIGITS}g}"))


def finite(value: float) -> float:
    """`value`; ValueError for a NaN or infinity, which no figure can show."""
    if not math.isfinite(value):
        raise ValueError(f"expected finite numbers to draw, found {value!r}")
    return value
