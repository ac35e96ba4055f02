"""Rows that a solution chose by their number: what it was not given is added from the input.

A solution that declares COLUMNS gets a few columns and the number of each row, and gives back the
rows that it wants with what it made for them. The other columns never pass through its hands, and
are in memory for one block of rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.files import ROW_GROUP, write_blocks
from pipeline.stages.contract import ContractError
from pipeline.stages.stored import INPUT_ROW, Positions, StoredTable, StoredTables
from pipeline.stages.tables import IDENTITY, identity_order

BLOCK = 2 * ROW_GROUP
"""Rows that are put together at a time: some 65 MB of a diphoton table."""
SAMPLE = "sample"


def has_numbers(table: Any) -> bool:
    """Whether a table that a solution returned names rows of the input."""
    return isinstance(table, pd.DataFrame) and INPUT_ROW in table.columns


@dataclass(frozen=True)
class ChosenRows:
    """Rows of the tables of the input, in the order of their identity.

    `found` is what the solution returned, its repeated texts as categories: its own columns count,
    also where the input has them. `texts` are the types of those columns.
    """

    found: pd.DataFrame
    texts: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    order: Positions

    @classmethod
    def of(cls, found: pd.DataFrame, name: str, tables: Mapping[str, pd.DataFrame]) -> ChosenRows:
        """The rows that `found` names; ContractError where there is no such row."""
        if SAMPLE not in found.columns:
            raise ContractError(
                f"expected column {SAMPLE!r} beside {INPUT_ROW!r} in table {name!r}, found "
                f"{', '.join(map(str, found.columns))}"
            )
        texts = {
            str(column): kind
            for column, kind in found.dtypes.items()
            if isinstance(kind, pd.StringDtype) or (column == SAMPLE and kind.kind == "O")
        }
        small = found.astype(dict.fromkeys(texts, "category"))
        _check(small, name, tables)
        chosen = cls(small, texts, tables, np.arange(len(small)))
        keys = chosen.rows(chosen.order, IDENTITY, as_texts=False)
        return cls(small, texts, tables, identity_order(keys, chosen.rows))

    @property
    def columns(self) -> list[str]:
        """Names in the order of the input, with those that the solution made behind them."""
        given = column_names(self.tables)
        own = [name for name in self.found.columns if name not in given and name != INPUT_ROW]
        return [*given, *own]

    def rows(
        self, places: Positions, names: Sequence[str] | None = None, as_texts: bool = True
    ) -> pd.DataFrame:
        """The rows at some places of `found`, in that order: all columns, or those of `names`."""
        wanted = [c for c in self.columns if names is None or c in names]
        own = [c for c in wanted if c in self.found.columns]
        found = self.found.iloc[places][own].reset_index(drop=True)
        if as_texts:
            found = found.astype({c: kind for c, kind in self.texts.items() if c in own})
        if len(own) == len(wanted):
            return found
        added = self._added(places, [c for c in wanted if c not in own])
        return pd.DataFrame({c: found[c] if c in own else added[c] for c in wanted})

    def _added(self, places: Positions, names: list[str]) -> pd.DataFrame:
        """Columns of the input for the rows at some places of `found`, in that order."""
        labels = self.found[SAMPLE].cat
        codes = labels.codes.to_numpy()[places]
        numbers = self.found[INPUT_ROW].to_numpy(np.int64)[places]
        order = np.argsort(codes, kind="stable")
        edges = np.searchsorted(codes[order], np.arange(len(labels.categories) + 1))
        parts = [
            _take(self.tables, str(sample), numbers[order[edges[k] : edges[k + 1]]], names)
            for k, sample in enumerate(labels.categories)
            if edges[k + 1] > edges[k]
        ]
        if not parts:
            return _take(self.tables, min(self.tables), np.empty(0, np.int64), names)
        together = pd.concat(parts, ignore_index=True)
        parts.clear()
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        return together.iloc[back].reset_index(drop=True)

    def blocks(self, size: int = BLOCK) -> Iterator[pd.DataFrame]:
        """All rows in order, `size` at a time; one block without rows where there is none."""
        for start in range(0, max(len(self.order), 1), size):
            yield self.rows(self.order[start : start + size])

    def whole(self) -> pd.DataFrame:
        """All of them as one table."""
        return self.rows(self.order)

    def write(self, path: Path) -> None:
        """Keep them, block by block: the bytes are those of the whole table."""
        write_blocks(path, self.blocks())


def column_names(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """The columns of the tables of the input, which all have the same."""
    first = min(tables)
    table = tables.stored[first] if isinstance(tables, StoredTables) else tables[first]
    return list(table.columns)


def _take(
    tables: Mapping[str, pd.DataFrame], sample: str, numbers: Positions, names: list[str]
) -> pd.DataFrame:
    if isinstance(tables, StoredTables):
        return tables.stored[sample].take(numbers, names)
    return tables[sample][names].iloc[numbers].reset_index(drop=True)


def _check(found: pd.DataFrame, name: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """Whole numbers of rows that there are, each with the sample that it belongs to."""
    numbers = found[INPUT_ROW]
    if numbers.dtype.kind not in "iu":
        raise ContractError(
            f"expected whole numbers in column {INPUT_ROW!r} of table {name!r}, found "
            f"{numbers.dtype}"
        )
    labels = found[SAMPLE].astype("category").cat
    strange = [str(sample) for sample in labels.categories if sample not in tables]
    if strange or (labels.codes < 0).any():
        raise ContractError(
            f"expected the samples of the input in column {SAMPLE!r} of table {name!r}, found "
            f"{(strange or ['nothing'])[0]!r}"
        )
    codes = labels.codes.to_numpy()
    for code, sample in enumerate(labels.categories):
        mine = numbers.to_numpy(np.int64)[codes == code]
        rows = _length(tables, str(sample))
        outside = mine[(mine < 0) | (mine >= rows)]
        if len(outside):
            raise ContractError(
                f"expected numbers from 0 to {rows - 1} in column {INPUT_ROW!r} of table {name!r} "
                f"for sample {sample!r}, found {int(outside[0])}"
            )


def _length(tables: Mapping[str, pd.DataFrame], sample: str) -> int:
    table: StoredTable | pd.DataFrame
    table = tables.stored[sample] if isinstance(tables, StoredTables) else tables[sample]
    return len(table)
