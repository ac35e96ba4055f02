"""Reference solution of classify: gradient boosting in five folds, out-of-fold scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

COLUMNS = ["event_number", "weight"]
"""Beside the features."""
FOLDS = 5
ITERATIONS = 60
LEARNING_RATE = 0.15
LEAVES = 15
BINS = 64
"""Per feature; weighted quantiles of more would take longer than the training."""
SMALLEST_LEAF = 50
"""Rows; keeps a single heavy event from having a leaf of its own."""


def scores(
    signal: pd.DataFrame,
    background: pd.DataFrame,
    data: pd.DataFrame,
    features: Sequence[str],
    seed: int,
) -> dict[str, np.ndarray]:
    """Probability of being signal, per row of each table.

    A row is scored by the model of its own fold, which was trained on the other four. The fold is
    a hash of the event number, and training rows are sorted by their own values, so that the order
    of rows changes no bit of any score. Data are never trained on.
    """
    tables = {"signal": signal, "background": background, "data": data}
    columns = list(features)
    inputs = {name: table[columns].to_numpy(np.float64) for name, table in tables.items()}
    folds = {
        name: fold_of(table["event_number"].to_numpy(np.int64)) for name, table in tables.items()
    }
    result = {name: np.zeros(len(table)) for name, table in tables.items()}
    with threadpool_limits(limits=1):  # sums over threads differ in the last bits
        for fold in range(FOLDS):
            model = _train(
                inputs["signal"][folds["signal"] != fold],
                signal["weight"].to_numpy(np.float64)[folds["signal"] != fold],
                inputs["background"][folds["background"] != fold],
                seed,
            )
            for name, x in inputs.items():
                mine = folds[name] == fold
                if mine.any():
                    result[name][mine] = model.predict_proba(x[mine])[:, 1]
    return result


def fold_of(event_number: np.ndarray) -> np.ndarray:
    """Fold 0 to 4 of each event, from the bits of its number (splitmix64's finaliser)."""
    with np.errstate(over="ignore"):
        x = event_number.astype(np.uint64)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x % np.uint64(FOLDS)).astype(np.int64)


def _train(
    signal: np.ndarray, signal_weight: np.ndarray, background: np.ndarray, seed: int
) -> HistGradientBoostingClassifier:
    """A model of signal (1) against background (0), both with the same total weight.

    Signal counts with the absolute value of its weight: boosting cannot use negative ones, and
    they are rare. Background rows all count the same.
    """
    if not len(signal) or not len(background):
        raise ValueError(
            f"expected signal and background to train on in every fold, found {len(signal)} and "
            f"{len(background)} rows"
        )
    magnitude = np.abs(signal_weight)
    if magnitude.sum() == 0:
        magnitude = np.ones(len(signal))
    x, y, w = [], [], []
    for label, rows, weight in (
        (0.0, background, np.ones(len(background))),
        (1.0, signal, magnitude),
    ):
        # Sorted before anything is added up: sums depend on the order in their last bits.
        order = np.lexsort([weight, *rows.T[::-1]])
        x.append(rows[order])
        y.append(np.full(len(rows), label))
        w.append(weight[order] / weight[order].sum())
    model = HistGradientBoostingClassifier(
        max_iter=ITERATIONS,
        learning_rate=LEARNING_RATE,
        max_leaf_nodes=LEAVES,
        max_bins=BINS,
        min_samples_leaf=SMALLEST_LEAF,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    total = (len(signal) + len(background)) / 2
    return model.fit(np.concatenate(x), np.concatenate(y), sample_weight=total * np.concatenate(w))
