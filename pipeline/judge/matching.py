"""Which rows of two tables are the same event, and how far two columns lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.judge.columns import Table, comparable, ranked, row_codes, rows_at

Values = npt.NDArray[np.generic]
EVENT = ("run_number", "event_number", "channel_number")
"""Columns that name one event: run and event number in data, DSID and event number in MC."""


@dataclass(frozen=True)
class Matching:
    """Rows of two tables paired by event identity, as row numbers of each table.

    `found` and `expected` have one entry per pair, sorted by identity; `only_found` and
    `only_expected` are the rows without a partner: the symmetric difference.
    """

    found: npt.NDArray[np.int64]
    expected: npt.NDArray[np.int64]
    only_found: npt.NDArray[np.int64]
    only_expected: npt.NDArray[np.int64]

    @property
    def unpaired(self) -> int:
        """Rows of either table that the other one does not have."""
        return len(self.only_found) + len(self.only_expected)


def match_rows(found: Table, expected: Table, identity: Sequence[str] = EVENT) -> Matching:
    """Pair the rows of two tables by the columns `identity`.

    An identity that occurs more than once is paired occurrence by occurrence, in the order of the
    remaining columns, so that the order of rows in the tables does not matter.
    """
    codes = row_codes([found, expected], identity)
    nth = [_occurrences(found, codes[0]), _occurrences(expected, codes[1])]
    if any(np.any(one) for one in nth):
        both = ranked([np.concatenate(codes), np.concatenate(nth)])
        codes = [both[: len(found)], both[len(found) :]]
    size = max((int(one.max()) + 1 for one in codes if len(one)), default=0)
    places = np.full((2, size), -1, dtype=np.int64)
    for place, one in zip(places, codes, strict=True):
        place[one] = np.arange(len(one))
    a, b = places >= 0
    return Matching(places[0, a & b], places[1, a & b], places[0, a & ~b], places[1, b & ~a])


def _occurrences(table: Table, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """The how-many-eth row of its identity each row is: by all columns, from 0."""
    nth = np.zeros(len(codes), dtype=np.int32)
    rows = np.flatnonzero(np.bincount(codes)[codes] > 1)
    if len(rows):
        again = rows_at(table, rows)
        order = again.sort_values(list(again.columns), kind="stable").index.to_numpy()
        nth[rows[order]] = pd.Series(codes[rows[order]]).groupby(codes[rows[order]]).cumcount()
    return nth


def same_bits(found: Values, expected: Values) -> bool:
    """Whether two columns have the same type, length and bits (any NaN is like any other NaN)."""
    if found.dtype != expected.dtype or len(found) != len(expected):
        return False
    if found.dtype.kind != "f":
        return bool(np.array_equal(found, expected))
    bits = f"i{found.dtype.itemsize}"
    same = np.ascontiguousarray(found).view(bits) == np.ascontiguousarray(expected).view(bits)
    return bool(np.all(same | (np.isnan(found) & np.isnan(expected))))


def differing(found: Values, expected: Values, rtol: float) -> npt.NDArray[np.bool_]:
    """Row by row, whether two columns differ.

    Numbers differ if |found - expected| > rtol (|expected| + typical), with `typical` the median
    of |expected|: an angle near zero is not held to a tolerance that no rounding can meet. Missing
    (NaN) differs from every number; whole numbers, truth values and words differ if unequal.
    """
    if found.dtype.kind not in "iufb" or expected.dtype.kind not in "iufb":
        return np.asarray(found != expected, dtype=bool)
    if expected.dtype.kind != "f":
        return np.asarray(found.astype(float) != expected.astype(float))
    a, b = found.astype(float), expected.astype(float)
    known = np.abs(b[np.isfinite(b)])
    typical = float(np.median(known)) if len(known) else 0.0
    with np.errstate(invalid="ignore"):
        far = np.abs(a - b) > rtol * (np.abs(b) + typical)
    missing = np.isnan(a) != np.isnan(b)
    infinite = (np.isinf(a) | np.isinf(b)) & (a != b)
    return np.asarray(far | missing | infinite)


def distance(
    found: Values,
    expected: Values,
    found_weight: npt.NDArray[np.float64] | None = None,
    expected_weight: npt.NDArray[np.float64] | None = None,
) -> float:
    """Kolmogorov-Smirnov distance of two columns: the largest gap of their cumulative shares.

    Missing values count as one value beyond all others. With weights the cumulative sums are
    signed and divided by the sum of |weight| (so that 0 is equal and the scale stays that of a
    share of events). An empty column is at distance 0 of another empty one, else 1.
    """
    if not len(found) or not len(expected):
        return float(len(found) != len(expected))
    a, b = _ordered(found, expected)
    wa = np.ones(len(a)) if found_weight is None else found_weight.astype(float)
    wb = np.ones(len(b)) if expected_weight is None else expected_weight.astype(float)
    if not np.abs(wa).sum() or not np.abs(wb).sum():
        return float(bool(np.abs(wa).sum()) != bool(np.abs(wb).sum()))
    values = np.concatenate([a, b])
    steps = np.concatenate([wa / np.abs(wa).sum(), -wb / np.abs(wb).sum()])
    order = np.argsort(values, kind="stable")
    values, gap = values[order], np.cumsum(steps[order])
    last_of_tie = np.append(values[1:] != values[:-1], True)
    return float(np.max(np.abs(gap[last_of_tie])))


def _ordered(found: Values, expected: Values) -> tuple[Values, Values]:
    """Both columns as numbers in which order and equality mean what they meant before."""
    if found.dtype.kind in "iufb" and expected.dtype.kind in "iufb":
        a, b = found.astype(float), expected.astype(float)
        return np.where(np.isnan(a), np.inf, a), np.where(np.isnan(b), np.inf, b)
    codes = comparable([pd.Series(found), pd.Series(expected)])
    return codes[: len(found)].astype(float), codes[len(found) :].astype(float)
