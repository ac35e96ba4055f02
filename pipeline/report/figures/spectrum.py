"""Figures of mass spectra with their fit: one with residuals and pulls, and small multiples."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.ticker import MaxNLocator, MultipleLocator

from pipeline.report.figures.panels import (
    draw_data,
    few_ticks,
    limits_around_zero,
    mass_ticks,
    per_bin,
    shade_hidden,
    stacked_panels,
)
from pipeline.report.figures.style import (
    BACKGROUND,
    MUTED,
    SIGNAL,
    Marks,
    draw_marks,
    draw_marks_above,
)
from pipeline.report.numbers.spectrum import Fit, Spectrum


def draw_spectrum(
    shown: Spectrum,
    observable: str,
    marks: Marks,
    below: tuple[str, ...] = (),
    what: str = "Events",
) -> Figure:
    """Data with the fit; below it data minus background and pulls, where there is a fit."""
    fit = shown.fit
    heights = [3.4, 1.25, 0.95] if fit is not None else [1.0]
    figure, axes = stacked_panels((8.0, 7.6 if fit is not None else 6.0), heights)
    main = axes[0]
    _draw_main(main, shown)
    main.set_ylabel(per_bin(shown.width, what))
    if _falling(shown):
        main.set_ylim(0, 1.22 * _top(shown))
        draw_marks(main, marks, (0.42, 0.95), below)
        main.legend(loc="lower left", bbox_to_anchor=(0.03, 0.03), borderaxespad=0, reverse=True)
    else:
        main.set_ylim(0, 1.6 * _top(shown))
        draw_marks(main, marks, below=below)
        main.legend(loc="upper right", bbox_to_anchor=(0.97, 0.97), borderaxespad=0, reverse=True)
    if fit is not None:
        _draw_residual(axes[1], shown, fit)
        axes[1].set_ylabel("Data − B")
        _draw_pull(axes[2], shown, fit)
    axes[-1].set_xlabel(f"{observable} [GeV]")
    main.set_xlim(float(shown.data.edges[0]), float(shown.data.edges[-1]))
    mass_ticks(main)
    figure.align_ylabels(axes)
    return figure


def _top(shown: Spectrum) -> float:
    """Upper end of the highest error bar, or 1 where there is nothing."""
    return float((shown.data.values + shown.data.high).max()) or 1.0


def _falling(shown: Spectrum) -> bool:
    """The spectrum falls so steeply that there is room above its right and below its left side."""
    quarter = len(shown.data.values) // 4
    left, right = shown.data.values[:quarter].mean(), shown.data.values[quarter:].mean()
    return bool(left > 1.5 * right and left > 10)


def _draw_main(ax: Axes, shown: Spectrum) -> None:
    shade_hidden(ax, shown.hidden, text=True)
    if shown.fit is not None:
        curve = shown.fit.curve
        ax.plot(
            curve.mass, shown.width * curve.total, color=SIGNAL, label="Signal + background fit",
            zorder=4,
        )  # fmt: skip
        ax.plot(
            curve.mass, shown.width * curve.background, color=BACKGROUND, ls="--",
            label="Background component", zorder=3,
        )  # fmt: skip
    draw_data(ax, shown.data, hidden=shown.hidden)


def _draw_residual(ax: Axes, shown: Spectrum, fit: Fit) -> None:
    curve = fit.curve
    signal = shown.width * (curve.total - curve.background)
    ax.axhline(0, color=BACKGROUND, ls="--", lw=1.4)
    ax.plot(curve.mass, signal, color=SIGNAL, zorder=4)
    draw_data(ax, shown.data, fit.residual, shown.hidden)
    seen = shown.data.values > 0
    low = np.where(seen, fit.residual - shown.data.low, 0)
    high = np.where(seen, fit.residual + shown.data.high, 0)
    ax.set_ylim(limits_around_zero(np.append(low, signal.min()), np.append(high, signal.max())))
    few_ticks(ax)


def _draw_pull(ax: Axes, shown: Spectrum, fit: Fit) -> None:
    ax.bar(
        shown.data.centres,
        np.nan_to_num(fit.pull),
        width=0.8 * shown.data.widths,
        color=MUTED,
        lw=0,
    )
    for height, style in ((0, "-"), (-2, ":"), (2, ":")):
        ax.axhline(height, color="black", ls=style, lw=0.8)
    limit = max(3.4, 1.15 * float(np.nanmax(np.abs(fit.pull), initial=0)))
    ax.set_ylim(-limit, limit)
    ax.set_ylabel("Pull")
    ax.yaxis.set_major_locator(MultipleLocator(2))
    ax.yaxis.set_minor_locator(MultipleLocator(1))


def draw_categories(shown: tuple[Spectrum, ...], observable: str, marks: Marks) -> Figure:
    """One cell per category: its spectrum with the fit above data minus background."""
    columns = 2 if len(shown) in (2, 4) else 3
    rows = math.ceil(len(shown) / columns)
    height = 3.5 * rows + 1.25
    figure = Figure(figsize=(4.6 * columns, height))
    outer = figure.add_gridspec(
        rows, columns, left=0.85 / (4.6 * columns), right=1 - 0.14 / (4.6 * columns),
        top=1 - 1.0 / height, bottom=0.62 / height, wspace=0.24, hspace=0.17,
    )  # fmt: skip
    for i, spectrum in enumerate(shown):
        inner = outer[i // columns, i % columns].subgridspec(
            2, 1, height_ratios=[2.4, 1], hspace=0.06
        )
        low = _draw_cell(figure, inner, spectrum, first=i % columns == 0)
        if i + columns >= len(shown):
            low.set_xlabel(f"{observable} [GeV]")
    draw_marks_above(figure, marks)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles[::-1], labels[::-1], loc="upper left", ncols=3,
        bbox_to_anchor=(0.012, 1 - 0.56 / height),
        borderaxespad=0,
    )  # fmt: skip
    return figure


def _draw_cell(
    figure: Figure, inner: GridSpecFromSubplotSpec, shown: Spectrum, first: bool
) -> Axes:
    """Draw one category into a cell of two rows; its lower axes."""
    main = figure.add_subplot(inner[0])
    low = figure.add_subplot(inner[1], sharex=main)
    main.tick_params(labelbottom=False)
    _draw_main(main, shown)
    main.set_ylim(0, 1.32 * _top(shown))
    main.set_xlim(float(shown.data.edges[0]), float(shown.data.edges[-1]))
    main.text(
        0.96, 0.93, shown.title, transform=main.transAxes, ha="right", va="top", fontsize=14,
        fontweight="bold",
    )  # fmt: skip
    if shown.fit is not None and shown.fit.chi2 is not None and shown.fit.ndf:
        text = rf"$\chi^{{\mathrm{{2}}}}$/ndf = {shown.fit.chi2:.1f}/{shown.fit.ndf:g}"
        main.text(0.96, 0.82, text, transform=main.transAxes, ha="right", va="top", fontsize=12)
    main.yaxis.set_major_locator(MaxNLocator(5, prune="lower"))
    mass_ticks(main)
    if shown.fit is not None:
        _draw_residual(low, shown, shown.fit)
    if first:
        main.set_ylabel(per_bin(shown.width))
        low.set_ylabel("Data − B")
        figure.align_ylabels([main, low])
    return low
