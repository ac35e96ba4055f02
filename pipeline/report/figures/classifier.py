"""Figures of the classifier: ROC curves and the score by class."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pipeline.report.figures.panels import draw_data
from pipeline.report.figures.style import MUTED, PALETTE, SIGNAL, Marks, draw_marks
from pipeline.report.numbers.classifier import Classifier


def draw_roc(shown: Classifier, labels: dict[str, str], marks: Marks) -> Figure:
    """Background rejected against signal kept; the areas under the curves are in the legend."""
    figure = Figure(figsize=(7.2, 6.4))
    ax = figure.add_axes((0.13, 0.12, 0.84, 0.85))
    colours = iter(PALETTE)
    for i, roc in enumerate(shown.rocs):
        name = "All signal" if i == 0 else labels.get(roc.name, roc.name)
        label = f"{name}, AUC = {roc.auc:.3f}"
        ax.plot(
            roc.signal, 1 - roc.background, color=SIGNAL if i == 0 else next(colours, "0.6"),
            lw=2.6 if i == 0 else 1.3, zorder=5 if i == 0 else 3, label=label,
        )  # fmt: skip
    ax.plot([0, 1], [1, 0], color=MUTED, ls=":", lw=1.2, label="No separation, AUC = 0.5")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.36)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.set_xlabel("Signal efficiency")
    ax.set_ylabel("1 − background efficiency")
    draw_marks(ax, marks, (0.045, 0.96))
    ax.legend(loc="lower left", bbox_to_anchor=(0.02, 0.02), borderaxespad=0)
    return figure


def draw_scores(shown: Classifier, labels: dict[str, str], marks: Marks) -> Figure:
    """The score of every class, each normalised to one, with the boundaries of the categories."""
    figure = Figure(figsize=(8.0, 6.2))
    ax = figure.add_axes((0.125, 0.12, 0.845, 0.85))
    colours = iter(PALETTE[1:])
    low, high = 1.0, 0.0
    for shape in shown.shapes:
        density = shape.density
        positive = density.values[density.values > 0]
        if len(positive):
            low, high = min(low, float(positive.min())), max(high, float(positive.max()))
        if shape.role == "background":
            ax.stairs(density.values, density.edges, fill=True, color="#b9d3e6", label="Background")
        elif shape.role == "signal":
            ax.stairs(
                density.values, density.edges, color=next(colours, "0.6"), lw=1.7,
                label=labels.get(shape.name, shape.name),
            )  # fmt: skip
        else:
            draw_data(ax, density, label="Data, sidebands", markersize=3.8)
    for i, boundary in enumerate(shown.boundaries):
        ax.axvline(
            boundary, ymax=0.65, color="black", ls="--", lw=1.1,
            label="Category boundaries" if i == 0 else None,
        )  # fmt: skip
    ax.set_yscale("log")
    floor = max(low / 2, high * 1e-4)
    ax.set_ylim(floor, high * (high / floor) ** 0.52)
    ax.set_xlim(0, 1)
    ax.set_xlabel("Classifier score")
    ax.set_ylabel("Density, unit area")
    draw_marks(ax, marks)
    ax.legend(
        loc="upper right", bbox_to_anchor=(0.98, 0.97), borderaxespad=0, ncols=2, columnspacing=1.2
    )
    return figure
