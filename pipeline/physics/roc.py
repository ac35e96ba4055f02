"""How well a score separates signal from background, with weights that may be negative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.physics.arrays import Floats, finite_pair


@dataclass(frozen=True)
class RocCurve:
    """Efficiencies of a cut `score >= threshold`, from the highest threshold to the lowest."""

    threshold: Floats
    signal_efficiency: Floats
    background_efficiency: Floats
    area: float
    """Chance that a signal event scores above a background event; ties count half."""


def roc_curve(
    signal_score: ArrayLike,
    signal_weight: ArrayLike,
    background_score: ArrayLike,
    background_weight: ArrayLike,
) -> RocCurve:
    """ROC curve and its area from signed weights.

    Equal scores are one point, so that the order of rows does not matter. With negative weights
    the curve need not rise everywhere; the area is still Σ w_s w_b [s > b] / (Σ w_s Σ w_b).
    ValueError if a class has no positive total weight.
    """
    s, ws = finite_pair(signal_score, signal_weight)
    b, wb = finite_pair(background_score, background_weight)
    if ws.sum() <= 0 or wb.sum() <= 0:
        raise ValueError(
            "expected a positive total weight of both classes, found signal "
            f"{float(ws.sum())!r} ({len(ws)} events) and background {float(wb.sum())!r} "
            f"({len(wb)} events)"
        )
    threshold, index = np.unique(np.concatenate([s, b]), return_inverse=True)
    signal = np.bincount(index[: len(s)], weights=ws, minlength=len(threshold))[::-1]
    background = np.bincount(index[len(s) :], weights=wb, minlength=len(threshold))[::-1]
    efficiency = np.concatenate([[0.0], np.cumsum(signal) / ws.sum()])
    mistake = np.concatenate([[0.0], np.cumsum(background) / wb.sum()])
    area = float(np.sum(np.diff(mistake) * 0.5 * (efficiency[1:] + efficiency[:-1])))
    return RocCurve(np.concatenate([[np.inf], threshold[::-1]]), efficiency, mistake, area)
