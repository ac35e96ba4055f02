"""A table of rows with typed columns, and its two forms as a file."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files import replacing

Row = dict[str, Any]


@dataclass(frozen=True)
class FlatTable:
    """Rows of equal columns; `kinds` says which type each column has: str, int, float or bool."""

    name: str
    kinds: Mapping[str, type]
    rows: Sequence[Row]


def flat_table(name: str, kinds: Mapping[str, type], rows: Sequence[Row]) -> FlatTable:
    """The table with all columns of `kinds`; those that a row does not have are None."""
    kept = [{column: row.get(column) for column in kinds} for row in rows]
    return FlatTable(name, kinds, kept)


def write_csv(path: Path, table: FlatTable) -> None:
    """A header and a line per row; what is not known is empty."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(table.kinds)
        for row in table.rows:
            writer.writerow(["" if v is None else v for v in row.values()])


def write_parquet(path: Path, table: FlatTable) -> None:
    """The same with types, which do not depend on the rows; what is not known is null."""
    import pyarrow as pa  # here, because whoever only compares should not wait for it
    import pyarrow.parquet as pq

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(column, types[of]) for column, of in table.kinds.items()])
    columns = [
        pa.array([_typed(row[column], of) for row in table.rows], types[of])
        for column, of in table.kinds.items()
    ]
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_arrays(columns, schema=schema), temporary, compression="zstd")


def _typed(value: Any, of: type) -> Any:
    return None if value is None else of(value)
