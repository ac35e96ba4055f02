"""The look of every figure: mplhep's ATLAS style, our label, and files that repeat bit for bit."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import mplhep
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.files import replacing

LABEL = "ATLAS Open Data"
"""Never the bare name of the collaboration: these are not its results."""

SIGNAL = "#d55e00"
BACKGROUND = "#0072b2"
DATA = "#000000"
MUTED = "#8a8a8a"
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#94711a", "#7a4fa3")
"""Colours that stay apart for colour-blind eyes (Okabe and Ito, and two darker ones)."""

SETTINGS: Any = {
    **mplhep.style.ATLAS,
    # TeX Gyre Heros comes with mplhep; what it lacks (Greek) is taken from fonts of matplotlib.
    "font.sans-serif": ["TeX Gyre Heros", "DejaVu Sans"],
    "mathtext.fallback": "stixsans",
    "axes.unicode_minus": True,
    "axes.autolimit_mode": "data",
    "axes.formatter.limits": (-4, 6),
    "axes.labelsize": 15,
    "axes.labelpad": 6,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "xtick.major.size": 8,
    "xtick.minor.size": 4,
    "ytick.major.size": 8,
    "ytick.minor.size": 4,
    "lines.markersize": 5,
    "lines.linewidth": 1.8,
    "legend.fontsize": 12.5,
    "legend.borderpad": 0.2,
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "svg.hashsalt": "ladon",
    "path.simplify": True,
}
NO_DATE: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
}
"""Metadata that would differ from one run to the next, left out."""


@dataclass(frozen=True)
class Marks:
    """What every figure says about its data."""

    process: str
    energy: str
    luminosity: str
    synthetic: bool

    @property
    def lines(self) -> tuple[str, ...]:
        """Lines below the label, from the top down."""
        conditions = rf"$\sqrt{{\mathrm{{s}}}} = \mathrm{{{self.energy}}}$ TeV, {self.luminosity}"
        return (conditions, self.process) if self.process else (conditions,)


@contextmanager
def atlas_style() -> Iterator[None]:
    """The style, for as long as the block lasts; figures are drawn and saved inside."""
    with matplotlib.rc_context(SETTINGS):
        yield


def draw_marks(
    ax: Axes, marks: Marks, at: tuple[float, float] = (0.05, 0.94), below: tuple[str, ...] = ()
) -> None:
    """Write the label, its lines and those of `below` at a corner in axes coordinates."""
    lines: list[tuple[str, dict[str, Any]]] = [
        (LABEL, {"fontweight": "bold", "fontstyle": "italic", "fontsize": 16})
    ]
    if marks.synthetic:
        lines.append(("Synthetic", {"fontweight": "bold", "color": SIGNAL, "fontsize": 14}))
    lines += [(text, {"fontsize": 13}) for text in (*marks.lines, *below)]
    down = 0.0
    for text, look in lines:
        ax.annotate(
            text, at, xycoords="axes fraction", xytext=(0, -down), textcoords="offset points",
            ha="left", va="top", annotation_clip=False, **look,
        )  # fmt: skip
        down += (1.65 if "sqrt" in text else 1.4) * float(look["fontsize"])


def draw_marks_above(figure: Figure, marks: Marks) -> None:
    """The same in one line at the top of a figure of many panels."""
    points = figure.get_figheight() * 72
    top = 1 - 12 / points
    figure.text(
        0.02, top, LABEL, fontweight="bold", fontstyle="italic", fontsize=17, ha="left", va="top"
    )
    left = 0.02 + 165 / (figure.get_figwidth() * 72)
    if marks.synthetic:
        figure.text(
            left,
            top,
            "Synthetic",
            fontweight="bold",
            color=SIGNAL,
            fontsize=15,
            ha="left",
            va="top",
        )
    figure.text(0.985, top, "   ".join(marks.lines), fontsize=14, ha="right", va="top")


def math_label(text: str) -> str:
    """`text` with letters under a bar (t and U+0304) as mathtext, which places the bar rightly."""
    return re.sub("(\\w)\u0304", r"$\\bar{\\mathrm{\1}}$", text)


def save(figure: Figure, stem: Path) -> bytes:
    """Write `figure` as <stem>.png and .pdf without dates; its SVG comes back as bytes."""
    for kind in ("png", "pdf"):
        with replacing(stem.with_name(f"{stem.name}.{kind}")) as temporary:
            figure.savefig(temporary, format=kind, metadata=NO_DATE[kind])
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", metadata=NO_DATE["svg"])
    return drawn.getvalue()
