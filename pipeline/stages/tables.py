"""Tables of events between stages: reading them, checking their columns, one order for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from pipeline.files import read_table, write_table
from pipeline.stages.contract import ContractError

EVENT_TABLES = ("signal", "background", "control", "data")
"""What preprocess makes and classify hands on, each a file of that name."""
MOST_COLUMNS = 500
"""Columns that a table of a solution may have."""
IDENTITY = ("run_number", "event_number", "channel_number", "sample")
"""Columns that name an event."""


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """The rows sorted by the event's identity, with a plain index.

    Rows of one identity are sorted by all their columns, so that the result does not depend on
    the order in which rows came.
    """
    identity = [name for name in IDENTITY if name in table.columns]
    order = _sorted_by(table, identity)
    keys = table[identity].iloc[order]
    if keys.duplicated().any():
        rest = [str(name) for name in table.columns if name not in identity]
        order = _sorted_by(table, [*identity, *rest])
    return table.iloc[order].reset_index(drop=True)


def _sorted_by(table: pd.DataFrame, names: list[str]) -> np.ndarray[Any, np.dtype[np.intp]]:
    keys = []
    for name in reversed(names):
        column = table[name].to_numpy()
        if column.dtype.kind not in "biuf":
            column = np.unique(column.astype(str), return_inverse=True)[1]
        keys.append(column)
    return np.lexsort(keys) if keys else np.arange(len(table))


def accept_table(
    found: Any, name: str, columns: Iterable[str], finite: Iterable[str] = ()
) -> pd.DataFrame:
    """A DataFrame that a solution returned, in order; ContractError says what is wrong with it.

    It must hold the `columns` (more are allowed), and finite numbers in those named in `finite`.
    """
    if not isinstance(found, pd.DataFrame):
        raise ContractError(
            f"expected {name!r} to be a pandas DataFrame, found {type(found).__name__}"
        )
    if len(found.columns) > MOST_COLUMNS:
        raise ContractError(
            f"expected table {name!r} to have at most {MOST_COLUMNS} columns, found "
            f"{len(found.columns)}"
        )
    for column, dtype in found.dtypes.items():
        if dtype.kind not in "biufOTU":
            raise ContractError(
                f"expected numbers or text in column {column!r} of table {name!r}, found {dtype}"
            )
    missing = [column for column in columns if column not in found.columns]
    if missing:
        raise ContractError(
            f"expected table {name!r} to have the columns {', '.join(missing)}, found "
            f"{', '.join(map(str, found.columns))}"
        )
    for column in finite:
        if found[column].dtype.kind not in "biuf":
            raise ContractError(
                f"expected numbers in column {column!r} of table {name!r}, found "
                f"{found[column].dtype}"
            )
        bad = ~np.isfinite(found[column].to_numpy(dtype=np.float64))
        if bad.any():
            raise ContractError(
                f"expected finite numbers in column {column!r} of table {name!r}, found "
                f"{int(bad.sum())} of {len(found)} rows that are not"
            )
    return in_order(found)


def expect_mapping(result: Any, names: Iterable[str], what: str) -> Mapping[str, Any]:
    """`result` if it is a mapping with exactly these names; else ContractError."""
    wanted = sorted(names)
    if not isinstance(result, Mapping) or sorted(map(str, result)) != wanted:
        found = sorted(map(str, result)) if isinstance(result, Mapping) else type(result).__name__
        raise ContractError(f"expected {what} to return a dict of {wanted}, found {found!r}")
    return result


def read_tables(
    folder: Path, names: Iterable[str] = EVENT_TABLES, columns: Iterable[str] | None = None
) -> dict[str, pd.DataFrame]:
    """The tables that `write_tables` kept in `folder`; with `columns`, those that a table has."""
    found = {}
    for name in names:
        path = folder / f"{name}.parquet"
        wanted = None
        if columns is not None:
            there = pq.read_schema(path).names
            wanted = [column for column in columns if column in there]
        found[name] = read_table(path, wanted)
    return found


def own(table: pd.DataFrame) -> pd.DataFrame:
    """A table that its owner may change without changing `table`; copied where it is written to.

    pandas 3 copies on write, so that ten million rows are not in memory twice to be looked at.
    """
    return table.copy(deep=False)


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Keep each table as `<name>.parquet` in `folder`."""
    for name, table in tables.items():
        write_table(folder / f"{name}.parquet", table)


def count_rows(path: Path) -> int:
    """Rows of a Parquet file, from its footer alone."""
    return int(pq.read_metadata(path).num_rows)
