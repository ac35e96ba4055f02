"""Parts that figures share: data points, step errors, panels of one mass axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import AutoMinorLocator, MaxNLocator, MultipleLocator

from pipeline.report.figures.style import DATA, MUTED
from pipeline.report.numbers.binned import Array, Binned


def stacked_panels(
    size: tuple[float, float], heights: Sequence[float]
) -> tuple[Figure, list[Axes]]:
    """A figure of panels above each other with one common horizontal axis."""
    figure = Figure(figsize=size)
    grid = figure.add_gridspec(
        len(heights), 1, height_ratios=heights, hspace=0.07,
        left=0.13, right=0.965, top=0.965, bottom=0.095,
    )  # fmt: skip
    axes = [figure.add_subplot(grid[0])]
    axes += [figure.add_subplot(grid[i], sharex=axes[0]) for i in range(1, len(heights))]
    for ax in axes[:-1]:
        ax.tick_params(labelbottom=False)
    return figure, axes


def draw_data(
    ax: Axes,
    data: Binned,
    centre: Array | None = None,
    hidden: tuple[float, float] | None = None,
    **look: Any,
) -> None:
    """Points with error bars at `centre` (default: the contents); none in empty and hidden bins."""
    heights = data.values if centre is None else centre
    shown = data.high > 0 if data.weighted else data.values > 0
    if hidden is not None:
        shown = shown & ~data.inside(*hidden)
    errors = np.array([data.low[shown], data.high[shown]])
    settings: dict[str, Any] = {"label": "Data", "markersize": 4.5, "elinewidth": 1.2} | look
    ax.errorbar(
        data.centres[shown], heights[shown], yerr=errors, fmt="o", color=DATA, zorder=5, **settings
    )


def shade_hidden(ax: Axes, hidden: tuple[float, float] | None, text: bool) -> None:
    """Grey over the mass range whose data are blinded."""
    if hidden is None:
        return
    ax.axvspan(*hidden, color="0.92", zorder=0, lw=0)
    if text:
        ax.text(
            sum(hidden) / 2, 0.04, "blinded", transform=ax.get_xaxis_transform(),
            ha="center", va="bottom", fontsize=12, color=MUTED,
        )  # fmt: skip


def few_ticks(ax: Axes, number: int = 4) -> None:
    """At most `number` labels on a low panel, none at its ends, where they meet the next panel."""
    ax.yaxis.set_major_locator(MaxNLocator(number, prune="both"))
    ax.yaxis.set_minor_locator(AutoMinorLocator(2))


def limits_around_zero(low: Array, high: Array) -> tuple[float, float]:
    """Limits of a panel that holds zero and bars from `low` to `high`, with some room."""
    bottom, top = min(0.0, float(low.min(initial=0))), max(0.0, float(high.max(initial=0)))
    room = 0.15 * (top - bottom) or 1.0
    return bottom - room, top + room


def mass_ticks(ax: Axes) -> None:
    """Labels every 10 GeV, marks every 2 GeV."""
    ax.xaxis.set_major_locator(MultipleLocator(10))
    ax.xaxis.set_minor_locator(MultipleLocator(2))


def per_bin(width: float, what: str = "Events") -> str:
    """Axis title of contents of bins of `width` GeV."""
    return f"{what} / GeV" if width == 1 else f"{what} / {width:g} GeV"
