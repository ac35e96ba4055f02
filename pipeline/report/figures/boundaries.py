"""Figure of the significance that each category boundary brought."""

from __future__ import annotations

from matplotlib.figure import Figure

from pipeline.report.figures.style import BACKGROUND, MUTED, Marks, draw_marks
from pipeline.report.numbers.boundaries import BoundarySearch


def draw_boundaries(search: BoundarySearch, marks: Marks) -> Figure:
    """Combined significance as boundaries are added; rejected steps are open circles."""
    figure = Figure(figsize=(8.0, 5.6))
    ax = figure.add_axes((0.12, 0.16, 0.85, 0.81))
    heights = [search.inclusive]
    accepted = [0]
    ax.plot([], [], marker="o", color=BACKGROUND, label="Accepted")
    for i, step in enumerate(search.steps, start=1):
        heights.append(step.combined)
        if step.accepted:
            accepted.append(i)
        else:
            before = max(j for j in accepted if j < i)
            ax.plot([before, i], [heights[before], step.combined], color=MUTED, ls=":", lw=1.4)
            ax.plot(i, step.combined, "o", mfc="white", mec=MUTED, mew=1.6, ms=8)
        ax.annotate(
            f"{100 * step.gain:+.1f} %", (i, step.combined), xytext=(0, 11),
            textcoords="offset points", ha="center", fontsize=12,
            color="black" if step.accepted else MUTED,
        )  # fmt: skip
    if len(accepted) <= len(search.steps):
        ax.plot(
            [], [], "o", mfc="white", mec=MUTED, mew=1.6, ms=8, label="Rejected: gains too little"
        )
    ax.plot(accepted, [heights[i] for i in accepted], marker="o", color=BACKGROUND, ms=8, zorder=4)
    span = max(heights) - min(heights) or max(heights) or 1.0
    ax.set_ylim(min(heights) - 0.25 * span, max(heights) + 0.95 * span)
    ax.set_xlim(-0.5, len(heights) - 0.5)
    names = ["no boundary", *(f"+ {step.boundary:.2f}" for step in search.steps)]
    ax.set_xticks(range(len(heights)), names)
    ax.tick_params(axis="x", which="minor", bottom=False, top=False)
    ax.set_xlabel("Boundary added on the classifier score")
    ax.set_ylabel(r"Expected significance $Z$ [$\sigma$]")
    draw_marks(ax, marks)
    ax.legend(loc="upper right", bbox_to_anchor=(0.97, 0.96), borderaxespad=0)
    return figure
