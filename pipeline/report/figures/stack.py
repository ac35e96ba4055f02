"""Figure of data against the stacked simulation."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.report.figures.panels import (
    draw_data,
    few_ticks,
    limits_around_zero,
    mass_ticks,
    per_bin,
    shade_hidden,
    stacked_panels,
)
from pipeline.report.figures.style import PALETTE, SIGNAL, Marks, draw_marks, math_label
from pipeline.report.numbers.stack import Stack


def draw_stack(shown: Stack, observable: str, marks: Marks) -> Figure:
    """Backgrounds and signal on top of each other, data, and data minus background below."""
    simulated = bool(shown.layers)
    figure, axes = stacked_panels((8.0, 7.0 if simulated else 6.0), [3, 1] if simulated else [1])
    main = axes[0]
    shade_hidden(main, shown.hidden, text=True)
    if simulated:
        _draw_layers(main, shown)
    draw_data(main, shown.data, hidden=shown.hidden)
    total = shown.total(shown.layers)
    top = float(max((shown.data.values + shown.data.high).max(), (total + shown.error).max()))
    main.set_ylim(0, 1.55 * top if top > 0 else 1)
    main.set_xlim(float(shown.edges[0]), float(shown.edges[-1]))
    main.set_ylabel(per_bin(float(shown.data.widths[0])))
    draw_marks(main, marks)
    main.legend(loc="upper right", bbox_to_anchor=(0.97, 0.97), borderaxespad=0, reverse=True)
    if simulated:
        _draw_difference(axes[1], shown)
    mass_ticks(main)
    axes[-1].set_xlabel(f"{observable} [GeV]")
    figure.align_ylabels(axes)
    return figure


def _draw_layers(ax: Axes, shown: Stack) -> None:
    below = np.zeros(len(shown.edges) - 1)
    colours = iter(PALETTE)
    for layer in shown.backgrounds:
        top = below + layer.content.values
        ax.stairs(
            top,
            shown.edges,
            baseline=below,
            fill=True,
            color=next(colours, "0.6"),
            label=math_label(layer.label),
        )
        below = top
    signal = shown.total(shown.signals)
    if shown.signals:
        ax.stairs(
            below + signal, shown.edges, baseline=below, fill=True, color=SIGNAL,
            label=r"Signal, $m_{\mathrm{H}}$ = 125 GeV",
        )  # fmt: skip
    total = below + signal
    ax.stairs(
        total + shown.error, shown.edges, baseline=total - shown.error, fill=True, color="none",
        hatch="////", edgecolor="0.35", lw=0, label="Simulation, stat. unc.",
    )  # fmt: skip


def _draw_difference(ax: Axes, shown: Stack) -> None:
    background = shown.total(shown.backgrounds)
    residual = shown.data.values - background
    ax.axhline(0, color="black", lw=0.8)
    ax.stairs(shown.total(shown.signals), shown.edges, color=SIGNAL, lw=1.8)
    draw_data(ax, shown.data, residual, shown.hidden)
    seen = shown.data.values > 0
    low = np.where(seen, residual - shown.data.low, 0)
    ax.set_ylim(limits_around_zero(low, np.where(seen, residual + shown.data.high, 0)))
    ax.set_ylabel("Data − B")
    few_ticks(ax)
