"""Figures of the fit: profile likelihood, pulls of nuisance parameters, correlations."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pipeline.report.figures.style import (
    BACKGROUND,
    MUTED,
    SIGNAL,
    Marks,
    draw_marks,
    draw_marks_above,
)
from pipeline.report.numbers.likelihood import (
    LEVELS,
    Correlation,
    Nuisance,
    Profile,
    parameter_name,
)

ANNOTATED = 24
"""Up to this many parameters the correlation matrix holds its numbers."""
HIGHEST = 10.0
"""The rise of -2 ln L up to which the profile is shown."""


def draw_profile(shown: Profile, injected: float | None, result: str, marks: Marks) -> Figure:
    """The rise of the negative log-likelihood around its minimum, with the levels of intervals."""
    figure = Figure(figsize=(8.0, 6.0))
    ax = figure.add_axes((0.115, 0.125, 0.855, 0.845))
    near = shown.mu[shown.total <= HIGHEST]
    low, high = (float(near[0]), float(near[-1])) if len(near) > 1 else (0.0, 2.0)
    ax.plot(shown.mu, shown.total, color=SIGNAL, label="All uncertainties", zorder=4)
    if shown.statistical is not None:
        ax.plot(shown.mu, shown.statistical, color=BACKGROUND, ls="--", label="Statistical only")
    if injected is not None:
        ax.axvline(
            injected, ymax=0.3, color="black", ls="-.", lw=1.2,
            label=rf"Injected $\mu$ = {injected:g}",
        )  # fmt: skip
    for name, level in LEVELS.items():
        ax.axhline(level, color=MUTED, ls=":", lw=1.2)
        ax.text(
            high - 0.012 * (high - low), level + 0.1, name, ha="right", fontsize=12, color="0.35"
        )
    ax.set_ylim(0, HIGHEST)
    ax.set_xlim(low, high)
    ax.set_xlabel(r"Signal strength $\mu$")
    ax.set_ylabel(r"$-2\,\Delta\,\mathrm{ln}\,L$")
    draw_marks(ax, marks, (0.36, 0.96), below=(result,))
    ax.legend(loc="upper left", bbox_to_anchor=(0.345, 0.56), borderaxespad=0)
    return figure


def draw_nuisances(shown: tuple[Nuisance, ...], marks: Marks) -> Figure:
    """Fitted value and error of constrained parameters, and what each shifts mu by."""
    ranked = all(n.impact is not None for n in shown)
    height = 2.3 + 0.42 * len(shown)
    bottom, tall = 0.85 / height, 1 - 1.75 / height
    figure = Figure(figsize=(10.0 if ranked else 8.0, height))
    ax = figure.add_axes((0.27, bottom, 0.40, tall) if ranked else (0.34, bottom, 0.62, tall))
    rows = np.arange(len(shown))[::-1]
    ax.axvspan(-2, 2, color="#f3efdc", lw=0, zorder=0)
    ax.axvspan(-1, 1, color="#dcebdc", lw=0, zorder=1)
    ax.axvline(0, color="black", lw=0.8, ls=":")
    ax.errorbar(
        [n.pull for n in shown], rows, xerr=[n.error for n in shown], fmt="o", color="black",
        markersize=5.5, elinewidth=1.6, zorder=5,
    )  # fmt: skip
    reach = max([2.5, *(abs(n.pull) + n.error + 0.2 for n in shown)])
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-0.7, len(shown) - 0.3)
    ax.set_yticks(rows, [parameter_name(n.name) for n in shown])
    ax.tick_params(axis="y", which="both", left=False, right=False)
    ax.set_xlabel(r"$(\hat{\theta} - \theta_\mathrm{0})\,/\,\Delta\theta$")
    if ranked:
        beside = figure.add_axes((0.69, bottom, 0.29, tall), sharey=ax)
        _draw_impacts(beside, shown, rows)
    draw_marks_above(figure, marks)
    return figure


def _draw_impacts(ax: Axes, shown: tuple[Nuisance, ...], rows: NDArray[np.int_]) -> None:
    sides = ((r"$-\Delta\theta$", "#9cc3e0"), (r"$+\Delta\theta$", "#0072b2"))
    for side, (label, colour) in enumerate(sides):
        widths = [n.impact[side] if n.impact else 0.0 for n in shown]
        ax.barh(rows, widths, height=0.62, color=colour, label=label, lw=0)
    ax.axvline(0, color="black", lw=0.8)
    reach = 1.2 * max(n.size for n in shown) or 1.0
    ax.set_xlim(-reach, reach)
    ax.xaxis.set_major_locator(MaxNLocator(4, symmetric=True))
    ax.tick_params(axis="y", which="both", left=False, right=False, labelleft=False)
    ax.set_xlabel(r"Shift of $\mu$")
    ax.legend(loc="lower right", handlelength=1.0, fontsize=12, borderaxespad=0.4)


def draw_correlation(shown: Correlation, marks: Marks) -> Figure:
    """The correlation matrix of the fitted parameters, in per cent where there is room."""
    number = len(shown.names)
    side = min(max(0.42 * number, 4.8), 10.0)
    width, height = side + 3.3, side + 2.6
    figure = Figure(figsize=(width, height))
    ax = figure.add_axes((2.3 / width, 1.85 / height, side / width, side / height))
    image = ax.imshow(shown.matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    size = 11 if number <= 12 else 10 if number <= ANNOTATED else 8
    names = [parameter_name(name).replace("μ", r"$\mu$") for name in shown.names]
    ax.set_xticks(
        range(number), names, rotation=50, ha="right", rotation_mode="anchor", fontsize=size
    )
    ax.set_yticks(range(number), names, fontsize=size)
    ax.tick_params(which="both", length=0)
    if number <= ANNOTATED:
        for i in range(number):
            for j in range(number):
                value = shown.matrix[i, j]
                if abs(value) >= 0.005:
                    ax.text(
                        j, i, f"{100 * value:.0f}", ha="center", va="center", fontsize=9,
                        color="white" if abs(value) > 0.6 else "black",
                    )  # fmt: skip
    bar = figure.add_axes(((2.3 + side + 0.15) / width, 1.85 / height, 0.16 / width, side / height))
    figure.colorbar(image, cax=bar)
    bar.tick_params(labelsize=11)
    draw_marks_above(figure, marks)
    return figure
