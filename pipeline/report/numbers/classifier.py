"""How well the classifier's score separates: ROC curves, their areas, and the score by class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import hist
import numpy as np

from pipeline.physics.roc import roc_curve
from pipeline.report.numbers.binned import Array, Binned, edges_between, weigh

DRAWN_POINTS = 400
SCORE_BINS = edges_between(0.0, 1.0, 0.04)


@dataclass(frozen=True)
class Roc:
    """Efficiency for signal against efficiency for background, from tight to loose thresholds."""

    name: str
    signal: Array
    background: Array
    auc: float


@dataclass(frozen=True)
class ScoreShape:
    """Distribution of the score of one class, normalised to unit area."""

    name: str
    role: str
    density: Binned
    rows: int


@dataclass(frozen=True)
class Classifier:
    """ROC curves (all signal first, then per process) and score distributions."""

    rocs: tuple[Roc, ...]
    shapes: tuple[ScoreShape, ...]
    boundaries: tuple[float, ...]

    def roc_columns(self) -> dict[str, list[Any]]:
        """One row per point of a curve, for a CSV file."""
        columns: dict[str, list[Any]] = {
            "signal": [],
            "signal_efficiency": [],
            "background_efficiency": [],
        }
        for roc in self.rocs:
            columns["signal"] += [roc.name] * len(roc.signal)
            columns["signal_efficiency"] += roc.signal.tolist()
            columns["background_efficiency"] += roc.background.tolist()
        return columns

    def shape_columns(self) -> dict[str, list[Any]]:
        """One row per bin of the score, a column per class and one for its error."""
        found = {"low": SCORE_BINS[:-1].tolist(), "high": SCORE_BINS[1:].tolist()}
        for shape in self.shapes:
            found[shape.name] = shape.density.values.tolist()
            found[f"{shape.name}_error"] = shape.density.high.tolist()
        return found

    def histograms(self) -> dict[str, hist.Hist[Any]]:
        return {s.name: s.density.histogram("score", "classifier score") for s in self.shapes}


def classifier(
    signals: Mapping[str, tuple[Array, Array]],
    background: tuple[Array, Array],
    data: Array,
    boundaries: tuple[float, ...],
) -> Classifier:
    """What the scores separate.

    `signals`: per process (scores, weights); `background`: the same of the background sample;
    `data`: scores of tight, isolated data in the sidebands. Weights are signed and used as such.
    Processes without a positive sum of weights are left out; ValueError if nothing is left.
    """
    signals = {name: sample for name, sample in signals.items() if sample[1].sum() > 0}
    if not signals:
        raise ValueError("expected signal with a positive sum of weights, found none")
    every = tuple(np.concatenate([s[i] for s in signals.values()]) for i in (0, 1))
    rocs = [roc("all signal", (every[0], every[1]), background)]
    if len(signals) > 1:
        rocs += [roc(name, sample, background) for name, sample in signals.items()]
    shapes = [_shape("background", "background", *background)]
    shapes += [_shape(name, "signal", *sample) for name, sample in signals.items()]
    if len(data):
        shapes.append(_shape("data", "data", data, np.ones(len(data))))
    return Classifier(tuple(rocs), tuple(shapes), boundaries)


def roc(name: str, signal: tuple[Array, Array], background: tuple[Array, Array]) -> Roc:
    """The ROC curve of (scores, weights) of two classes, thinned to what a drawing can show."""
    curve = roc_curve(*signal, *background)
    passed, faked = curve.signal_efficiency, curve.background_efficiency
    # Dense at small background efficiency, so that the drawn curve keeps its shape everywhere.
    wanted = np.linspace(0.0, 1.0, DRAWN_POINTS) ** 2
    drawn = np.clip(np.searchsorted(faked, wanted), 0, len(faked) - 1)
    drawn = np.unique(np.concatenate(([0], drawn, [len(faked) - 1])))
    return Roc(name, passed[drawn], faked[drawn], curve.area)


def _shape(name: str, role: str, scores: Array, weights: Array) -> ScoreShape:
    raw = weigh(scores, weights, SCORE_BINS)
    norm = 1 / (weights.sum() * raw.widths)
    error = raw.high * np.abs(norm)
    density = Binned(raw.edges, raw.values * norm, error, error, error**2, weighted=True)
    return ScoreShape(name, role, density, len(scores))
