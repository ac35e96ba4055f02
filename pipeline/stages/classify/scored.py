"""Tables and their scores: what is scored together, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from pipeline.stages.stored import StoredTable

IS_CONTROL = "is_control"
"""Column of the `data` argument that marks its second part: control rows, scored like data."""
SHAPE = "control_weight"
"""Weight of background and control; the data have none."""

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScoredTable:
    """A table in a file and the scores of its rows, put together as they are written."""

    table: StoredTable
    scores: Scores

    def blocks(self) -> Iterator[pd.DataFrame]:
        """The rows with their column `score`, row group by row group."""
        start = 0
        for block in self.table.blocks():
            yield block.assign(score=self.scores[start : start + len(block)])
            start += len(block)


@dataclass(frozen=True)
class ScoredOnly:
    """The data and the control rows in their files: what is scored and never trained on."""

    data: StoredTable
    control: StoredTable

    @classmethod
    def of(cls, folder: Path) -> ScoredOnly:
        return cls(*(StoredTable(folder / f"{name}.parquet") for name in ("data", "control")))

    def __len__(self) -> int:
        return len(self.data) + len(self.control)

    def read(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The data rows, then the control rows, with IS_CONTROL; `columns` as in StoredTable."""
        control = self.control.read(columns).assign(**{IS_CONTROL: True})
        data = self.data.read(columns).assign(**{IS_CONTROL: False})
        parts = [part for part in (data, control) if len(part)]
        return pd.concat(parts, ignore_index=True) if parts else control

    def take(self, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
        """Some rows of `read`, which ascend."""
        split = int(np.searchsorted(rows, len(self.data)))
        chosen = ((self.data, rows[:split], False),
                  (self.control, rows[split:] - len(self.data), True))  # fmt: skip
        parts = [
            table.take(places, table.columns).assign(**{IS_CONTROL: flag})
            for table, places, flag in chosen
            if len(table)
        ]
        return pd.concat(parts, ignore_index=True) if parts else self.read()

    def scored(self, scores: Scores) -> dict[str, Any]:
        """Data and control apart again; in memory only where their columns are not the usual."""
        if not self._alike():
            return dict(apart(self.read().assign(score=scores)))
        rows = len(self.data)
        return {
            "data": ScoredTable(self.data, scores[:rows]),
            "control": ScoredTable(self.control, scores[rows:]),
        }

    def _alike(self) -> bool:
        """Both have rows, and the same columns but for SHAPE behind those of control."""
        data, control = (pq.read_schema(table.path) for table in (self.data, self.control))
        usual = control.names[-1] == SHAPE and data.equals(control.remove(len(control) - 1))
        return bool(usual and len(self.data) and len(self.control))


def apart(both: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of data and those of the control region, scored together."""
    is_control = both[IS_CONTROL].to_numpy(dtype=bool)
    both = both.drop(columns=IS_CONTROL)
    without_shape = both.drop(columns=SHAPE, errors="ignore")
    return {
        "data": without_shape[~is_control].reset_index(drop=True),
        "control": both[is_control].reset_index(drop=True),
    }
