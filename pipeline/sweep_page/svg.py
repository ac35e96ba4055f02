"""Small charts as SVG text: axes with units, uncertainties, a legend, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

PALETTE = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#f0e442",
)  # fmt: skip
"""Okabe and Ito's colours, which the colour-blind can tell apart (one of them our own)."""
_Place = Callable[[float, float], tuple[float, float]]

GREY = "#9aa3ad"
TEXT = 12
"""Font size; a character is about 0.56 of it wide."""


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart: its label and lengths by series."""

    label: str
    lengths: Mapping[str, float]
    about: str = ""


@dataclass(frozen=True)
class Point:
    """A point with its error bars as (low, high) ends; `front` where nothing beats it."""

    label: str
    x: float
    y: float
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    front: bool = False
    series: int = 0


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers between `low` and `high`, about `wanted` of them."""
    if not high > low:
        return [low]
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two positive numbers; powers alone if many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(powers) <= 4 else (1,)
    every = [f * 10.0**p for p in powers for f in steps]
    return [t for t in every if low * 0.999 <= t <= high * 1.001]


def tick_text(value: float) -> str:
    """A tick's number: 0.25, 12 000, 2×10⁶."""
    if value and abs(value) >= 1e6:
        power = math.floor(math.log10(abs(value)) + 1e-9)
        raised = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{value / 10**power:g}×10{raised}".replace("-", "−")
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", "\u202f").replace("-", "−")
    return f"{value:.6g}".replace("-", "−")


def interval_bar(value: float, low: float, high: float, colour: str = PALETTE[0]) -> Markup:
    """A share between 0 and 1 as a bar with its interval, for a cell of a table."""
    a, b, c = (round(1 + 118 * v, 1) for v in (value, low, high))
    return Markup(
        '<svg class="bar" viewBox="0 0 120 14" width="120" height="14" aria-hidden="true">'
        f'<rect x="1" y="1" width="118" height="12" class="empty"/>'
        f'<rect x="1" y="1" width="{round(a - 1, 1)}" height="12" fill="{colour}" '
        'fill-opacity=".35"/>'
        f'<path d="M{b},7H{c}M{b},4V10M{c},4V10" class="whisker"/>'
        f'<circle cx="{a}" cy="7" r="2.4"/></svg>'
    )


def bars(
    rows: Sequence[Bar], series: Sequence[str], axis: str, name: str, colours: Sequence[str] = ()
) -> Markup:
    """Stacked horizontal bars, a row each, with a legend of the series above."""
    colours = colours or [PALETTE[i % len(PALETTE)] for i in range(len(series))]
    left = _margin([row.label for row in rows])
    width, right, height = 960, 24 + _wide([row.about for row in rows]), 22
    legend, top = _legend(series, colours, left, width)
    most = max((sum(row.lengths.values()) for row in rows), default=0) or 1
    scale = (width - left - right) / most
    bottom = top + height * len(rows)
    shapes = [legend]
    for tick in (t for t in ticks(0, most) if t == round(t)):  # counts
        x = round(left + tick * scale, 1)
        shapes.append(f'<line x1="{x}" x2="{x}" y1="{top}" y2="{bottom}" class="grid"/>')
        shapes.append(_text(x, bottom + 16, tick_text(tick), "middle"))
    for i, row in enumerate(rows):
        y, x = top + i * height, float(left)
        shapes.append(_text(left - 8, y + 15, _short(row.label), "end", row.label))
        for colour, one in zip(colours, series, strict=True):
            if length := row.lengths.get(one, 0):
                tip = escape(f"{row.label}: {one}, {length:g}")
                shapes.append(
                    f'<rect x="{round(x, 1)}" y="{y + 3}" width="{round(length * scale, 1)}" '
                    f'height="{height - 6}" fill="{colour}"><title>{tip}</title></rect>'
                )
                x += length * scale
        if row.about:
            shapes.append(_text(round(x + 6, 1), y + 15, row.about, "start"))
    shapes.append(f'<line x1="{left}" x2="{left}" y1="{top}" y2="{bottom}" class="axis"/>')
    shapes.append(_text(width - right, bottom + 34, axis, "end", css="title"))
    return _svg(width, bottom + 42, name, shapes)


def scatter(
    points: Sequence[Point], series: Sequence[str], x_axis: str, y_axis: str, name: str
) -> Markup:
    """Points with error bars, the Pareto front as a line, labels on the front's points, a legend.

    The x axis is logarithmic where the points span more than a factor of 20.
    """
    width, left, right = 600, 58, 20
    shown = list(series[: len(PALETTE)]) + (["others"] if len(series) > len(PALETTE) else [])
    legend, top = _legend(shown, [*PALETTE[: len(shown)], GREY][: len(shown)], left, width - right)
    bottom = top + 290
    low, high, log = _range(points)
    y_ticks = ticks(0, 1)

    def at(x: float, y: float) -> tuple[float, float]:
        a, b, c = (math.log10(max(v, low)) if log else v for v in (x, low, high))
        share = min(1.0, max(0.0, (a - b) / (c - b)))
        return round(left + share * (width - left - right), 1), round(
            bottom - y * (bottom - top), 1
        )

    size = f'width="{width - left - right}" height="{bottom - top}"'
    shapes = [legend, f'<rect x="{left}" y="{top}" {size} class="frame"/>']
    for tick in log_ticks(low, high) if log else ticks(low, high):
        x, _ = at(tick, 0)
        shapes.append(f'<line x1="{x}" x2="{x}" y1="{bottom}" y2="{bottom + 5}" class="axis"/>')
        shapes.append(_text(x, bottom + 18, tick_text(tick), "middle"))
    for tick in y_ticks:
        _, y = at(low, tick)
        shapes.append(f'<line x1="{left - 5}" x2="{left}" y1="{y}" y2="{y}" class="axis"/>')
        shapes.append(_text(left - 8, y + 4, tick_text(tick), "end"))
    front = sorted((p.x, p.y) for p in points if p.front)
    if len(front) > 1:
        path = " ".join(f"{x},{y}" for x, y in (at(*p) for p in front))
        shapes.append(f'<polyline points="{path}" class="front"/>')
    for p in points:
        shapes += _point(p, at)
    shapes += _labels(
        [(p.label, *at(p.x, p.y)) for p in points if p.front][:12], left, width - right
    )
    shapes.append(_text(width - right, bottom + 38, x_axis, "end", css="title"))
    middle = (top + bottom) / 2
    shapes.append(
        f'<text transform="rotate(-90 14 {middle})" x="14" y="{middle}" text-anchor="middle" '
        f'class="title">{escape(y_axis)}</text>'
    )
    return _svg(width, bottom + 46, name, shapes)


def _point(p: Point, at: _Place) -> list[str]:
    x, y = at(p.x, p.y)
    colour = PALETTE[p.series] if p.series < len(PALETTE) else GREY
    tip = escape(f"{p.label}: {p.x:.4g}, success {p.y:.3f}")
    shapes = []
    if p.y_range is not None:
        low, high = at(p.x, p.y_range[0])[1], at(p.x, p.y_range[1])[1]
        shapes.append(f'<line x1="{x}" x2="{x}" y1="{low}" y2="{high}" stroke="{colour}"/>')
    if p.x_range is not None:
        low, high = at(p.x_range[0], p.y)[0], at(p.x_range[1], p.y)[0]
        shapes.append(f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{colour}"/>')
    inside = colour if p.front else "#fff"
    shapes.append(
        f'<circle cx="{x}" cy="{y}" r="4.5" fill="{inside}" stroke="{colour}" stroke-width="1.6">'
        f"<title>{tip}</title></circle>"
    )
    return shapes


def _labels(marked: Sequence[tuple[str, float, float]], left: float, right: float) -> list[str]:
    """Labels beside points, moved down where two would overlap."""
    shapes: list[str] = []
    taken: list[tuple[float, float, float]] = []
    for text, x, y in sorted(marked, key=lambda m: (m[2], m[1])):
        shown = _short(text, 44)
        wide = 6.2 * len(shown)
        start = x + 8 if x + 8 + wide <= right else max(left + 4, x - 8 - wide)
        place = y - 7
        while any(abs(place - b) < 13 and start < d and start + wide > a for a, b, d in taken):
            place += 13
        taken.append((start, place, start + wide))
        shapes.append(_text(round(start, 1), round(place, 1), shown, "start", text, "name"))
    return shapes


def _range(points: Sequence[Point]) -> tuple[float, float, bool]:
    """Ends of the x axis and whether it is logarithmic."""
    ends = [v for p in points for v in (p.x, *(p.x_range or ()))]
    positive = [v for v in ends if v > 0]
    log = all(p.x > 0 for p in points) and bool(points) and max(ends) > 20 * min(positive)
    if log:
        low = min(p.x for p in points)
        return low / 1.6, max(ends) * 1.6, True
    high = max(ends, default=1.0) * 1.12 or 1.0
    return 0.0, high, False


def _legend(
    series: Sequence[str], colours: Sequence[str], left: float, width: float
) -> tuple[str, int]:
    """The legend's shapes and where what it explains begins."""
    x, y, shapes = float(left), 4, []
    for one, colour in zip(series, colours, strict=True):
        wide = 24 + 0.58 * TEXT * len(one) + 14
        if x + wide > width and x > left:
            x, y = float(left), y + 18
        shapes.append(f'<rect x="{round(x, 1)}" y="{y}" width="13" height="13" fill="{colour}"/>')
        shapes.append(_text(round(x + 18, 1), y + 11, one, "start"))
        x += wide
    return "".join(shapes), y + 26


def _margin(labels: Sequence[str]) -> int:
    """Room for the labels of rows."""
    return 16 + _wide([_short(text) for text in labels])


def _wide(texts: Sequence[str]) -> int:
    """About how wide the longest of `texts` is."""
    return round(0.56 * TEXT * max(map(len, texts), default=0))


def _short(text: str, most: int = 46) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _text(
    x: float, y: float, text: str, anchor: str, tip: str = "", css: str = "", size: int = TEXT
) -> str:
    kind = f' class="{css}"' if css else ""
    title = f"<title>{escape(tip)}</title>" if tip and tip != text else ""
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}"{kind}>'
        f"{escape(text)}{title}</text>"
    )


def _svg(width: int, height: float, name: str, shapes: Sequence[str]) -> Markup:
    return Markup(
        f'<svg class="chart" viewBox="0 0 {width} {round(height)}" role="img" '
        f'aria-label="{escape(name)}">{"".join(shapes)}</svg>'
    )
