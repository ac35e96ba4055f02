"""The contract of classify: preprocessed tables in, one score per event out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from pipeline.files import read_json
from pipeline.settings import Settings
from pipeline.stages.contract import ContractError, StageContext
from pipeline.stages.samples import SAMPLES_FILE, cannot_measure
from pipeline.stages.tables import (
    EVENT_TABLES,
    count_rows,
    expect_mapping,
    own,
    read_tables,
    write_tables,
)

IS_CONTROL = "is_control"
"""Column of the `data` argument that marks its second part: control rows, scored like data."""
REFERENCES = {"gradient_boosting": "reference.py", "tabpfn": "tabpfn.py"}


class ClassifyContract:
    """`scores(signal, background, data, features, seed) -> {"signal", "background", "data"}`."""

    stage = "classify"
    defines: Mapping[str, tuple[str, ...] | None] = {
        "scores": ("signal", "background", "data", "features", "seed")
    }

    def arguments(self, context: StageContext) -> dict[str, Any]:
        """The tables of preprocess; `data` holds the data rows, then the control rows."""
        tables = read_tables(context.folder("preprocess"))
        control = tables["control"].assign(**{IS_CONTROL: True})
        data = tables["data"].assign(**{IS_CONTROL: False})
        parts = [part for part in (data, control) if len(part)]
        return {
            "signal": tables["signal"],
            "background": tables["background"],
            "data": pd.concat(parts, ignore_index=True) if parts else control,
            "features": list(context.settings.channel.features),
            "seed": context.settings.seed,
        }

    def call(self, solution: ModuleType, arguments: Mapping[str, Any]) -> Any:
        """Call `solution.scores` with tables of its own."""
        return solution.scores(
            own(arguments["signal"]),
            own(arguments["background"]),
            own(arguments["data"]),
            list(arguments["features"]),
            arguments["seed"],
        )

    def accept(self, result: Any, arguments: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
        """The four tables with a column `score`, float64 from 0 to 1.

        ContractError if a table's scores are missing, of another length, or not such numbers.
        """
        given = expect_mapping(result, ("signal", "background", "data"), "scores")
        scored = {
            name: arguments[name].assign(score=_scores(given[name], name, len(arguments[name])))
            for name in ("signal", "background", "data")
        }
        both = scored.pop("data")
        is_control = both[IS_CONTROL].to_numpy(dtype=bool)
        both = both.drop(columns=IS_CONTROL)
        without_shape = both.drop(columns="control_weight", errors="ignore")
        scored["data"] = without_shape[~is_control].reset_index(drop=True)
        scored["control"] = both[is_control].reset_index(drop=True)
        return {name: scored[name] for name in EVENT_TABLES}

    def write(self, product: Mapping[str, pd.DataFrame], folder: Path) -> None:
        """Keep the four tables."""
        write_tables(folder, product)

    def read(self, folder: Path) -> dict[str, pd.DataFrame]:
        """What `write` kept."""
        return read_tables(folder)


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
