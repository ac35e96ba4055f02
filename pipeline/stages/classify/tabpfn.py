"""The published study's classifier: TabPFN, a pretrained transformer for tables.

Needs the package `tabpfn` and its weights; neither comes with Ladon. Follows arXiv 2512.07785: test
split of 50 % with seed 42, float32, NaN as 0.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TEST_SHARE = 0.5
TRAINING_ROWS = 10_000
"""Rows that TabPFN learns from at most, half of them signal: what its second version was made
for. They are drawn at random; signal with the absolute value of its weight."""
BATCH = 20_000
"""Rows scored at a time, which bounds the memory."""
WEIGHTS_PATTERN = "tabpfn*classifier*.ckpt"


class TabPFNMissingError(ModuleNotFoundError):
    """The package `tabpfn` is not installed."""


class TabPFNWeightsMissingError(FileNotFoundError):
    """The package is there but no file with weights is."""


def scores(
    signal: pd.DataFrame,
    background: pd.DataFrame,
    data: pd.DataFrame,
    features: Sequence[str],
    seed: int,
) -> dict[str, np.ndarray]:
    """Probability of being signal, per row of each table; no row is scored by a model that saw it.

    Signal and background are split in two halves, and each is scored by the model trained on the
    other; data, which are never trained on, get the mean of both.
    """
    tables = {"signal": signal, "background": background, "data": data}
    orders = {name: _order(table, features) for name, table in tables.items()}
    x = {name: _inputs(tables[name].iloc[order], features) for name, order in orders.items()}
    weight = np.abs(signal["weight"].to_numpy(np.float64))[orders["signal"]]
    trained = ("signal", "background")
    halves = {name: _halves(len(x[name]), seed + label) for label, name in enumerate(trained)}
    found = {name: np.zeros(len(rows)) for name, rows in x.items()}
    for test in (0, 1):
        rng = np.random.default_rng([seed, test])
        seen = {name: np.flatnonzero(halves[name] != test) for name in trained}
        drawn = {
            "signal": _draw(seen["signal"], weight[seen["signal"]], rng),
            "background": _draw(seen["background"], None, rng),
        }
        model = load_model(seed)
        model.fit(
            np.concatenate([x[name][rows] for name, rows in drawn.items()]),
            np.concatenate([np.full(len(rows), name == "signal") for name, rows in drawn.items()]),
        )
        for name in trained:
            found[name][halves[name] == test] = _predict(model, x[name][halves[name] == test])
        found["data"] += 0.5 * _predict(model, x["data"])
    result = {name: np.empty(len(order)) for name, order in orders.items()}
    for name, order in orders.items():
        result[name][order] = found[name]
    return result


def load_model(seed: int) -> Any:
    """An untrained TabPFN classifier with its pretrained weights, on the CPU.

    TabPFNMissingError without the package, TabPFNWeightsMissingError without weights: they are
    looked for in the package's own cache and are never downloaded from here.
    """
    try:
        from tabpfn import TabPFNClassifier
    except ModuleNotFoundError as error:
        raise TabPFNMissingError(
            f"expected the package tabpfn for classifier=tabpfn, found none ({error}); install "
            "it with `pip install 'ladon-hep[tabpfn]'`, or use classifier=gradient_boosting",
            name="tabpfn",
        ) from error
    return TabPFNClassifier(
        model_path=find_weights(),
        device="cpu",
        ignore_pretraining_limits=True,
        random_state=seed,
    )


def find_weights() -> Path:
    """File with the weights of a TabPFN classifier, the first by name.

    Searched in TABPFN_MODEL_CACHE_DIR if that is set, else where the package keeps its downloads.
    """
    named = os.environ.get("TABPFN_MODEL_CACHE_DIR", "").strip()
    folder = Path(named) if named else _cache_folder()
    found = sorted(folder.glob(WEIGHTS_PATTERN)) if folder.is_dir() else []
    if not found:
        raise TabPFNWeightsMissingError(
            f"expected the weights of TabPFN ({WEIGHTS_PATTERN}) in {folder}, found none; download "
            "them from the model's page (Prior-Labs/TabPFN-v2-clf) into that folder or name "
            "another in TABPFN_MODEL_CACHE_DIR, or use classifier=gradient_boosting"
        )
    return found[0]


def _cache_folder() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tabpfn"
    named = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(named) if named else Path.home() / ".cache") / "tabpfn"


def _order(table: pd.DataFrame, features: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Row numbers sorted by event, weight and features: the same for any order of rows."""
    keys = ["event_number", "weight", *features]
    order: np.ndarray[Any, np.dtype[np.int64]] = np.lexsort(
        [table[key].to_numpy() for key in reversed(keys)]
    )
    return order


def _inputs(table: pd.DataFrame, features: Sequence[str]) -> np.ndarray:
    values = table[list(features)].to_numpy(np.float32)
    return np.where(np.isfinite(values), values, np.float32(0.0))


def _halves(rows: int, seed: int) -> np.ndarray:
    """0 for the test half and 1 for the other, per row."""
    half = np.ones(rows, dtype=np.int64)
    half[np.random.default_rng(seed).permutation(rows)[: round(TEST_SHARE * rows)]] = 0
    return half


def _draw(
    rows: np.ndarray, weight: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """At most half of TRAINING_ROWS of `rows`, without repetition."""
    if not len(rows):
        raise ValueError("expected signal and background to train on in either half, found none")
    number = min(len(rows), TRAINING_ROWS // 2)
    if weight is None or np.count_nonzero(weight) < number:
        return rng.choice(rows, number, replace=False)
    return rng.choice(rows, number, replace=False, p=weight / weight.sum())


def _predict(model: Any, x: np.ndarray) -> np.ndarray:
    result = np.zeros(len(x))
    for k in range(0, len(x), BATCH):
        result[k : k + BATCH] = model.predict_proba(x[k : k + BATCH])[:, 1]
    return np.clip(result, 0.0, 1.0)
