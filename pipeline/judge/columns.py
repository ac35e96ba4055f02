"""Tables as the judge looks at them: a column at a time, in memory or in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import union_categoricals

from pipeline.stages.stored import StoredTable

Rows = npt.NDArray[np.int64]
SMALL = 50_000
"""Rows of a table that is read as a whole: at most some 25 MB, and faster than column by column."""


class Table(Protocol):
    """A DataFrame, or whatever has columns like one: `StoredTable`, `Stacked`, `Picked`."""

    @property
    def columns(self) -> Any: ...

    def __len__(self) -> int: ...

    def __getitem__(self, name: str, /) -> Any: ...


def opened(path: Path) -> Table:
    """The table in a file: in memory where it is small, else a column at a time."""
    table = StoredTable(path)
    return table.read() if len(table) <= SMALL else table


@dataclass(frozen=True)
class Stacked:
    """Tables one below the other; a column is put together when it is asked for."""

    tables: Mapping[str, Table]
    columns: Sequence[str]
    """Those that it has. `sample` is the name of its table for the rows of one without it."""

    def __len__(self) -> int:
        return sum(map(len, self.tables.values()))

    def __getitem__(self, name: str) -> pd.Series[Any]:
        every = [_of_sample(sample, table, name) for sample, table in self.tables.items()]
        parts = [part for part in every if len(part)] or every  # no rows may be of any type
        if all(isinstance(part.dtype, pd.CategoricalDtype) for part in parts):
            return pd.Series(union_categoricals(parts))
        return pd.concat(parts, ignore_index=True)


def _of_sample(sample: str, table: Table, name: str) -> pd.Series[Any]:
    if name == "sample" and name not in table.columns:
        return constant(len(table), sample)
    column: pd.Series[Any] = table[name]
    return column


def constant(rows: int, text: str) -> pd.Series[Any]:
    """The same text in every row, kept once."""
    return pd.Series(pd.Categorical.from_codes(np.zeros(rows, np.int8), pd.Index([text])))


@dataclass(frozen=True)
class Picked:
    """Some rows of a table, in the order of `rows`."""

    table: Table
    rows: Rows

    @property
    def columns(self) -> Any:
        return self.table.columns

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> pd.Series[Any]:
        column: pd.Series[Any] = self.table[name]
        return column.iloc[self.rows].reset_index(drop=True)


def rows_at(table: Table, rows: Rows) -> pd.DataFrame:
    """Some rows of a table, with all of its columns and a plain index."""
    if isinstance(table, pd.DataFrame):
        return table.iloc[rows].reset_index(drop=True)
    return pd.DataFrame({name: table[name].iloc[rows].to_numpy() for name in table.columns})


def row_codes(tables: Sequence[Table], names: Sequence[str]) -> list[Rows]:
    """For each table a number per row: the same where the columns `names` are, and in their order.

    Numbers compare as numbers and anything else as text; missing values are like one another.
    """
    columns = []
    for name in names:
        column = comparable([table[name] for table in tables])
        if np.any(column != column[:1]):  # what is the same everywhere decides nothing
            columns.append(column)
    ends = np.cumsum([len(table) for table in tables])
    codes = ranked(columns) if columns else np.zeros(ends[-1], np.int64)
    return np.split(codes, ends[:-1])


def ranked(columns: Sequence[npt.NDArray[Any]]) -> Rows:
    """For each row the number of different ones before it, the first column deciding first."""
    order = np.lexsort(columns[::-1])
    other = np.zeros(len(order), bool)
    for column in columns:
        here = column[order]
        other[1:] |= here[1:] != here[:-1]
    codes = np.empty(len(order), np.int64)
    codes[order] = np.cumsum(other)
    return codes


def comparable(columns: Sequence[pd.Series[Any]]) -> npt.NDArray[Any]:
    """Columns one after the other, as numbers that are equal, and in order, where the values are.

    Text is in the order of its characters, and numbers beside text are text.
    """
    columns = [column for column in columns if len(column)]
    if not columns:
        return np.zeros(0, np.int8)
    kinds = {c.dtype.kind if isinstance(c.dtype, np.dtype) else "text" for c in columns}
    if kinds <= set("iub"):
        joined = np.concatenate([column.to_numpy() for column in columns])
        if joined.dtype.kind in "iub":  # int64 beside uint64 are neither
            return joined
    if kinds <= set("iubf"):
        floats = np.concatenate([column.to_numpy(float) for column in columns])
        return np.unique(floats, return_inverse=True)[1]
    parts = [pd.factorize(column, use_na_sentinel=False) for column in columns]
    texts = [np.asarray(values, dtype=object).astype(str) for _, values in parts]
    places = np.unique(np.concatenate(texts), return_inverse=True)[1].astype(np.int32)
    starts = np.cumsum([0, *map(len, texts)])
    return np.concatenate(
        [places[start + codes] for (codes, _), start in zip(parts, starts[:-1], strict=True)]
    )
