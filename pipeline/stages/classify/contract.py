"""The contract of classify: preprocessed tables in, one score per event out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from pipeline.files import read_json, write_blocks
from pipeline.settings import Settings
from pipeline.stages.classify.scored import IS_CONTROL, ScoredOnly, ScoredTable, apart
from pipeline.stages.contract import ContractError, StageContext, declared_columns
from pipeline.stages.samples import SAMPLES_FILE, cannot_measure
from pipeline.stages.stored import StoredTable
from pipeline.stages.tables import (
    EVENT_TABLES,
    count_rows,
    expect_mapping,
    own,
    read_tables,
)

ARGUMENTS = ("signal", "background", "data")
REFERENCES = {"gradient_boosting": "reference.py", "tabpfn": "tabpfn.py"}


class ClassifyContract:
    """`scores(signal, background, data, features, seed) -> {"signal", "background", "data"}`."""

    stage = "classify"
    defines: Mapping[str, tuple[str, ...] | None] = {
        "scores": ("signal", "background", "data", "features", "seed")
    }

    def arguments(self, context: StageContext) -> dict[str, Any]:
        """The tables of preprocess; `data` holds the data rows, then the control rows."""
        folder = context.folder("preprocess")
        tables: dict[str, Any] = {
            name: StoredTable(folder / f"{name}.parquet") for name in ("signal", "background")
        }
        tables["data"] = ScoredOnly.of(folder)
        if not context.stored:
            tables = {name: table.read() for name, table in tables.items()}
        return {
            **tables,
            "features": list(context.settings.channel.features),
            "seed": context.settings.seed,
        }

    def call(self, solution: ModuleType, arguments: Mapping[str, Any]) -> Any:
        """Call `solution.scores` with tables of its own: of the columns that it declares, and the
        features, if it declares any."""
        features, names = list(arguments["features"]), declared_columns(solution)
        wanted = None if names is None else [*names, *features, IS_CONTROL]
        return solution.scores(
            *(_given(arguments[name], wanted) for name in ARGUMENTS), features, arguments["seed"]
        )

    def accept(
        self, result: Any, arguments: Mapping[str, Any]
    ) -> dict[str, pd.DataFrame | ScoredTable]:
        """The four tables with a column `score`, float64 from 0 to 1.

        What lies in files is put beside its scores when it is written. ContractError if a table's
        scores are missing, of another length, or not such numbers.
        """
        given = expect_mapping(result, ARGUMENTS, "scores")
        scores = {name: _scores(given[name], name, len(arguments[name])) for name in ARGUMENTS}
        both = arguments["data"]
        scored: dict[str, Any] = {}
        for name in ("signal", "background"):
            table = arguments[name]
            scored[name] = (
                ScoredTable(table, scores[name])
                if isinstance(table, StoredTable)
                else table.assign(score=scores[name])
            )
        if isinstance(both, ScoredOnly):
            scored |= both.scored(scores["data"])
        else:
            scored |= apart(both.assign(score=scores["data"]))
        return {name: scored[name] for name in EVENT_TABLES}

    def write(self, product: Mapping[str, pd.DataFrame | ScoredTable], folder: Path) -> None:
        """Keep the four tables."""
        for name, table in product.items():
            blocks = table.blocks() if isinstance(table, ScoredTable) else [table]
            write_blocks(folder / f"{name}.parquet", blocks)

    def read(self, folder: Path) -> dict[str, pd.DataFrame]:
        """What `write` kept."""
        return read_tables(folder)


def _given(
    table: pd.DataFrame | StoredTable | ScoredOnly, wanted: list[str] | None
) -> pd.DataFrame:
    """What a solution gets of a table; of one in a file nobody else has a part in memory."""
    if not isinstance(table, pd.DataFrame):
        return table.read(wanted)
    if wanted is None:
        return own(table)
    return own(table[[column for column in table.columns if column in wanted]])


def _scores(found: Any, name: str, rows: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        scores = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ContractError(
            f"expected numbers as the scores of {name!r}, found {type(found).__name__}: {error}"
        ) from error
    if scores.shape != (rows,):
        raise ContractError(
            f"expected {rows} scores of {name!r}, one per row in the order of the rows, found "
            f"shape {scores.shape!r}"
        )
    outside = ~((scores >= 0) & (scores <= 1))  # catches NaN too
    if outside.any():
        raise ContractError(
            f"expected scores of {name!r} from 0 to 1, found {float(scores[outside][0])!r} (and "
            f"{int(outside.sum())} such values of {rows})"
        )
    return scores


def reference_path(settings: Settings) -> Path:
    """Our own solution for the classifier of these settings."""
    return Path(__file__).with_name(REFERENCES[settings.classifier])


def task_variables(settings: Settings) -> dict[str, Any]:
    """What `task.md` needs."""
    channel = settings.channel
    return {
        "channel": channel.name,
        "observable": channel.observable,
        "features": list(channel.features),
    }


def blocked(context: StageContext) -> str | None:
    """Why there is nothing to learn from, or None."""
    folder = context.folder("preprocess")
    titles = {"signal": "simulated signal", "background": "non-tight or non-isolated data"}
    for name, title in titles.items():
        if count_rows(folder / f"{name}.parquet") == 0:
            samples = read_json(folder / SAMPLES_FILE)
            why = cannot_measure(samples, needs_background=False)
            return why or f"no {title} to train a classifier on: the table {name!r} has no rows"
    return None


CONTRACT = ClassifyContract()
