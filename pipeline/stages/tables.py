"""Tables of events between stages: reading them, checking their columns, one order for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
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
    order = identity_order(table, lambda places: table.iloc[places])
    return table.iloc[order].reset_index(drop=True)


def identity_order(
    keys: pd.DataFrame, rows_at: Callable[[npt.NDArray[np.int64]], pd.DataFrame]
) -> npt.NDArray[np.int64]:
    """The places of the rows of `keys`, in the order that `in_order` puts them in.

    `keys` holds the columns of IDENTITY that there are; `rows_at` gives all columns of the rows at
    some places, and is asked about those alone that share their identity with others.
    """
    identity = [name for name in IDENTITY if name in keys.columns]
    columns = [_sortable(keys[name]) for name in identity]
    if not columns:
        return np.arange(len(keys))
    order = np.lexsort(columns[::-1])
    shared = np.ones(max(len(order) - 1, 0), dtype=bool)
    for column in columns:
        here = column[order]
        equal = here[1:] == here[:-1]
        if here.dtype.kind == "f":
            equal |= np.isnan(here[1:]) & np.isnan(here[:-1])
        shared &= equal
    same = np.flatnonzero(shared)
    if len(same):
        places = np.union1d(same, same + 1)
        rows = rows_at(order[places])
        rest = [_sortable(rows[name]) for name in rows.columns if name not in identity]
        first = [_sortable(rows[name]) for name in identity]
        order[places] = order[places][np.lexsort([*rest[::-1], *first[::-1]])]
    return order


def _sortable(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Numbers that sort as the column does: itself, or the place of each text among all texts."""
    if column.dtype.kind in "biuf" and (numbers := column.to_numpy()).dtype.kind in "biuf":
        return numbers
    codes, values = pd.factorize(column, use_na_sentinel=False)
    place = np.unique(np.asarray(values, dtype=object).astype(str), return_inverse=True)[1]
    return np.asarray(place[codes])


def accept_table(
    found: Any, name: str, columns: Iterable[str], finite: Iterable[str] = ()
) -> pd.DataFrame:
    """A DataFrame that a solution returned, in order; ContractError says what is wrong with it.

    It must hold the `columns` (more are allowed), and finite numbers in those named in `finite`.
    """
    return in_order(checked_table(found, name, columns, finite))


def checked_table(
    found: Any, name: str, columns: Iterable[str], finite: Iterable[str] = ()
) -> pd.DataFrame:
    """The same as it came, in whatever order."""
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
    table: pd.DataFrame = found
    return table


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
