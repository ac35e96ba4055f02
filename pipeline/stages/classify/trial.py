"""Trying a solution of classify: a part of the tables, and what scores must be like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from agents.evidence import Finding
from pipeline.judge.guard import spread
from pipeline.physics.roc import roc_curve
from pipeline.settings import Settings
from pipeline.stages.classify.contract import CONTRACT
from pipeline.stages.classify.hints import hints
from pipeline.stages.contract import StageContext
from pipeline.stages.trial import Slice, StageHint, Values, at_least_one

ROWS = 20_000
"""Rows per table."""
TABLES = ("signal", "background", "data")
ENOUGH = 1_000
"""Rows of signal and of background from which on their scores are compared."""
SEPARATION = (0.53, 0.99)
"""Area under the ROC curve: below there is no separation (noise of this many rows gives
0.500 ± 0.013), above no two samples of photon pairs can be told apart without the mass."""
MEMORY = 1e-9
"""Scores closer to each other than this are one value."""


class ClassifyTrial:
    """Slices, findings and hints of classify."""

    def slices(self, context: StageContext) -> Iterator[Slice]:
        """Rows of each table, evenly spread over it."""
        return at_least_one(_slices(context), "classify", "rows of signal and of background")

    def findings(self, given: Slice, product: Any, context: StageContext) -> list[Finding]:
        """Scores that vary, that are higher for signal, and not too good to be true."""
        found = [_varies(name, _score(product[name])) for name in ("signal", "background")]
        both = np.concatenate([_score(product[name]) for name in ("data", "control")])
        found.append(_varies("data", both))
        tables: Mapping[str, pd.DataFrame] = product
        if min(len(tables[name]) for name in ("signal", "background")) < ENOUGH:
            return found
        return found + _separation(tables["signal"], tables["background"])

    def hints(self, settings: Settings) -> tuple[StageHint, ...]:
        """Seeds, one thread, nothing of the observable."""
        return hints(settings)


TRIAL = ClassifyTrial()


def _slices(context: StageContext) -> Iterator[Slice]:
    arguments = CONTRACT.arguments(replace(context, sealed=False))
    if not len(arguments["signal"]) or not len(arguments["background"]):
        return
    part = {}
    for name in TABLES:
        table: pd.DataFrame = arguments[name]
        part[name] = table.iloc[spread(len(table), ROWS)].reset_index(drop=True)
    yield Slice(f"{ROWS} rows of each table", {**arguments, **part})


def _score(table: pd.DataFrame) -> Values:
    return table["score"].to_numpy(np.float64)


def _varies(name: str, score: Values) -> Finding:
    values = len(np.unique(np.round(score / MEMORY)))
    passed = values > 1 or len(score) < 2
    title = f"{name}: scores take more than one value"
    return Finding(title, passed, "more than 1", f"{values} in {len(score)} rows")


def _separation(signal: pd.DataFrame, background: pd.DataFrame) -> list[Finding]:
    """The area under the ROC curve, with the weights' absolute values where signs leave nothing."""
    weights = [table["weight"].to_numpy(np.float64) for table in (signal, background)]
    weights = [w if w.sum() > 0 else np.ones(len(w)) for w in weights]
    area = roc_curve(_score(signal), weights[0], _score(background), weights[1]).area
    low, high = SEPARATION
    said = f"an area under the ROC curve of {area:.3f}"
    if area < 1 - low:
        said += ": background gets the higher scores"
    return [
        Finding("signal scores higher than background", area > low, f"an area above {low:g}", said),
        Finding("no leak: the separation is possible without the mass", area < high,
                f"an area below {high:g}", said),
    ]  # fmt: skip
