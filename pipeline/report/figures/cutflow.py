"""Figure of the share of events that each cut leaves."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from pipeline.report.figures.style import DATA, PALETTE, Marks, draw_marks
from pipeline.report.numbers.cutflow import CutFlow


def draw_cut_flow(flow: CutFlow, labels: dict[str, str], marks: Marks) -> Figure:
    """Share of events left after each cut, one line per process, on a logarithmic axis."""
    figure = Figure(figsize=(8.0, 6.0))
    ax = figure.add_axes((0.12, 0.235, 0.85, 0.735))
    colours = iter(PALETTE)
    lowest = 1.0
    for row in flow.totals:
        shares = row.fractions
        lowest = min([lowest, *(share for share in shares if share > 0)])
        is_data = row.role == "data"
        ax.plot(
            range(len(shares)), [share if share > 0 else math.nan for share in shares],
            marker="o", color=DATA if is_data else next(colours, "0.6"), zorder=5 if is_data else 3,
            ls={"data": "-", "signal": "-"}.get(row.role, "--"), lw=1.5,
            label="Data" if is_data else labels.get(row.name, row.name),
        )  # fmt: skip
    ax.set_yscale("log")
    ax.set_ylim(lowest / 3, 30)
    ax.set_xlim(-0.4, len(flow.cuts) - 0.6)
    ax.set_xticks(range(len(flow.cuts)), flow.cuts, rotation=32, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="x", which="minor", bottom=False, top=False)
    ax.set_ylabel("Events left / events read")
    draw_marks(ax, marks)
    ax.legend(
        loc="upper right", bbox_to_anchor=(0.98, 0.97), borderaxespad=0,
        ncols=2 if len(flow.totals) > 4 else 1,
    )  # fmt: skip
    return figure
