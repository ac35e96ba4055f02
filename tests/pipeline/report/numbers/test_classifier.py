"""ROC curves and distributions of the score."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.report.numbers.classifier import classifier, roc


def test_roc_of_a_known_separation() -> None:
    """Three of four pairs in the right order: area 0.75; negative weights count as they are."""
    found = roc("x", (np.array([0.4, 0.8]), np.ones(2)), (np.array([0.2, 0.6]), np.ones(2)))
    assert found.auc == pytest.approx(0.75)
    assert (found.signal[0], found.background[0]) == (0, 0)
    assert (found.signal[-1], found.background[-1]) == (1, 1)
    scores, weights = np.array([0.4, 0.8, 0.8]), np.array([1.0, 2.0, -1.0])
    assert roc("x", (scores, weights), (np.array([0.2, 0.6]), np.ones(2))).auc == 0.75


def test_the_drawn_curve_keeps_the_area() -> None:
    rng = np.random.default_rng(3)
    signal, background = rng.beta(3, 2, 20_000), rng.beta(2, 3, 20_000)
    found = roc("x", (signal, np.ones(20_000)), (background, np.ones(20_000)))
    assert len(found.signal) <= 402
    assert np.trapezoid(found.signal, found.background) == pytest.approx(found.auc, abs=1e-3)


def test_score_shapes_have_unit_area() -> None:
    rng = np.random.default_rng(4)
    found = classifier(
        {
            "ggH": (rng.uniform(size=500), rng.normal(1, 0.1, 500)),
            "none": (np.ones(1), -np.ones(1)),
        },
        (rng.uniform(size=900), np.full(900, 0.3)),
        rng.uniform(size=100),
        (0.5,),
    )
    assert [shape.name for shape in found.shapes] == ["background", "ggH", "data"]
    for shape in found.shapes:
        assert (shape.density.values * shape.density.widths).sum() == pytest.approx(1.0)
    assert [r.name for r in found.rocs] == ["all signal"]


def test_no_signal_is_an_error() -> None:
    with pytest.raises(ValueError, match="positive sum of weights, found none"):
        classifier({"a": (np.ones(1), -np.ones(1))}, (np.ones(1), np.ones(1)), np.ones(0), ())
