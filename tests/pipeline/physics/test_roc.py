"""ROC curves with weights that may be negative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pipeline.physics.roc import roc_curve


def test_perfect_and_useless() -> None:
    assert roc_curve([0.9, 0.8], [1, 1], [0.1, 0.2], [1, 1]).area == 1.0
    assert roc_curve([0.1], [1], [0.9], [1]).area == 0.0
    assert roc_curve([0.5, 0.5], [1, 2], [0.5], [7]).area == 0.5


def test_agrees_with_scikit_learn_for_positive_weights() -> None:
    rng = np.random.default_rng(0)
    s, b = rng.normal(1, 1, 800).round(1), rng.normal(0, 1, 900).round(1)
    ws, wb = rng.uniform(0.1, 2, 800), rng.uniform(0.1, 2, 900)
    expected = roc_auc_score(
        np.r_[np.ones(800), np.zeros(900)], np.r_[s, b], sample_weight=np.r_[ws, wb]
    )
    assert roc_curve(s, ws, b, wb).area == pytest.approx(expected, abs=1e-12)


@given(st.integers(0, 10_000))
def test_area_is_the_weighted_share_of_ordered_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    s, b = rng.integers(0, 6, 12) / 5, rng.integers(0, 6, 9) / 5
    ws, wb = rng.choice([1.0, 1.0, 2.0, -0.5], 12), rng.choice([1.0, 3.0], 9)
    if ws.sum() <= 0:
        return
    pairs = (s[:, None] > b) + 0.5 * (s[:, None] == b)
    expected = (ws[:, None] * wb * pairs).sum() / (ws.sum() * wb.sum())
    assert roc_curve(s, ws, b, wb).area == pytest.approx(expected, abs=1e-12)


def test_curve_begins_at_nothing_and_ends_at_everything() -> None:
    curve = roc_curve([0.9, 0.4, np.nan], [1, 1, 1], [0.5], [2])
    assert curve.threshold.tolist() == [np.inf, 0.9, 0.5, 0.4]
    assert curve.signal_efficiency.tolist() == [0.0, 0.5, 0.5, 1.0]
    assert curve.background_efficiency.tolist() == [0.0, 0.0, 1.0, 1.0]


def test_class_without_weight_is_an_error() -> None:
    with pytest.raises(ValueError, match="positive total weight"):
        roc_curve([0.5, 0.6], [1, -1], [0.1], [1])
