"""Reference solution of categorize: the greedy search for boundaries."""

from __future__ import annotations

import pandas as pd

from pipeline.physics.arrays import floats
from pipeline.physics.significance import Scores, SignificanceRule, greedy_steps


def boundaries(
    signal: pd.DataFrame, background: pd.DataFrame, significance: SignificanceRule
) -> list[float]:
    """Boundaries in ascending order: each added where it gained most, while that was enough."""
    scores = Scores(
        floats(signal["score"]),
        floats(signal["weight"]),
        floats(background["score"]),
        floats(background["weight"]),
    )
    steps = greedy_steps(scores, significance)
    return sorted(step.boundary for step in steps if step.accepted)
