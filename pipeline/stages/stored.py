"""Tables that lie in files: read when they are asked for, a column or a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from pipeline.files import read_table

INPUT_ROW = "input_row"
"""Column of a table of which a solution gets some columns: the number of the row, from 0."""

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class StoredTable:
    """One table in a Parquet file; nothing of it is in memory."""

    path: Path

    @property
    def columns(self) -> list[str]:
        return list(pq.read_schema(self.path).names)

    def __len__(self) -> int:
        return int(pq.read_metadata(self.path).num_rows)

    def __getitem__(self, name: str) -> pd.Series[Any]:
        """One column, read anew each time; text as categories, which take a byte or two a row."""
        with pq.ParquetFile(self.path, read_dictionary=[name]) as file:  # numbers stay numbers
            column = file.read(columns=[name], use_threads=False).column(0)
        values: pd.Series[Any] = column.to_pandas()
        return values

    def read(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The rows; with `columns`, those of them that it has, in the order of the file."""
        return read_table(self.path, None if columns is None else _those(self, columns))

    def take(self, rows: Positions, columns: Sequence[str]) -> pd.DataFrame:
        """Some rows, in the order of `rows`; row groups in which none of them lies stay unread."""
        wanted = _those(self, columns)
        with pq.ParquetFile(self.path) as file:
            counts = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
            starts = np.cumsum([0, *counts])
            order = np.argsort(rows, kind="stable")
            ascending = rows[order]
            edges = np.searchsorted(ascending, starts)
            parts = [
                file.read_row_group(k, columns=wanted, use_threads=False)
                .to_pandas(self_destruct=True, use_threads=False)
                .iloc[ascending[edges[k] : edges[k + 1]] - starts[k]]
                for k in range(file.num_row_groups)
                if edges[k + 1] > edges[k]
            ]
        found = pd.concat(parts) if parts else self.read(wanted).iloc[:0]
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        return found[wanted].iloc[back].reset_index(drop=True)

    def first(self, rows: int) -> pd.DataFrame:
        """The first rows, at most so many."""
        return self.take(np.arange(min(rows, len(self))), self.columns)

    def blocks(self) -> Iterator[pd.DataFrame]:
        """All rows, row group by row group; one block without rows where it has none."""
        with pq.ParquetFile(self.path) as file:
            for k in range(file.num_row_groups):
                group = file.read_row_group(k, use_threads=False)
                yield group.to_pandas(self_destruct=True, use_threads=False)
            if not file.num_row_groups:
                yield self.read()


def _those(table: StoredTable, columns: Sequence[str]) -> list[str]:
    wanted = set(columns)
    return [name for name in table.columns if name in wanted]


@dataclass(frozen=True)
class StoredTables(Mapping[str, pd.DataFrame]):
    """Tables by name; each is read anew whenever it is asked for, and not kept.

    Whoever goes from one to the next has one of them in memory.
    """

    stored: Mapping[str, StoredTable]
    names: Sequence[str] | None = None
    """The columns that are read, with INPUT_ROW; None for all, without it."""

    def __getitem__(self, name: str) -> pd.DataFrame:
        table = self.stored[name].read(self.names)
        return table if self.names is None else numbered(table)

    def __contains__(self, name: object) -> bool:
        return name in self.stored

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)

    def narrowed(self, names: Sequence[str]) -> StoredTables:
        """The same tables with some columns, and INPUT_ROW."""
        return replace(self, names=list(names))


def narrowed(tables: Mapping[str, pd.DataFrame], names: Sequence[str]) -> Mapping[str, Any]:
    """The `names` that each table has, and INPUT_ROW; in files they stay in files."""
    if isinstance(tables, StoredTables):
        return tables.narrowed(names)
    wanted = set(names)
    return {
        key: numbered(table[[column for column in table.columns if column in wanted]])
        for key, table in tables.items()
    }


def numbered(table: pd.DataFrame) -> pd.DataFrame:
    """The table with INPUT_ROW beside its columns."""
    return table.assign(**{INPUT_ROW: np.arange(len(table), dtype=np.int64)})
