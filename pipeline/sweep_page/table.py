"""Tables of the page: what each cell says, sorts by, and which filters keep its row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from pipeline.evaluation.intervals import Amount, Rate
from pipeline.report.notation import DASH, MINUS, decimals, number
from pipeline.sweep_page.svg import interval_bar

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SMALL = 1e-3
"""Numbers below are written with a power of ten."""
MOST_PLACES = 5
"""Decimal places that the number of an interval is written with."""


@dataclass(frozen=True)
class Column:
    """A column; `up` where the smaller value is the better one, and sorting begins with it."""

    title: str
    hint: str = ""
    numeric: bool = True
    up: bool = False


@dataclass(frozen=True)
class Entry:
    """A cell: text, the number it sorts by (None if it is not known), and a drawing before it."""

    text: str
    value: float | None = None
    hint: str = ""
    below: str = ""
    """A second, smaller line."""
    drawing: Markup | None = None
    tone: str = ""


@dataclass(frozen=True)
class Row:
    """A row; `about` are its data attributes, which the filters read."""

    entries: tuple[Entry, ...]
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table that sorts by a click on its head; a filter may hide its rows."""

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    """What is left out, and where it is."""


def rate_entry(rate: Rate, drawn: bool = False) -> Entry:
    """A rate over its interval."""
    if rate.value is None or rate.low is None or rate.high is None:
        return Entry(DASH, hint="no trial that counts")
    hint = f"{rate.passed} of {rate.n}; 95 % interval (Wilson) {rate.low:.3f} to {rate.high:.3f}"
    drawing = interval_bar(rate.value, rate.low, rate.high) if drawn else None
    return Entry(
        f"{rate.value:.2f}", rate.value, hint, f"{rate.low:.2f}{DASH}{rate.high:.2f}", drawing
    )


def share_entry(value: float | None, low: float | None, high: float | None, hint: str) -> Entry:
    """A share between 0 and 1 over its interval, where it has one."""
    if value is None:
        return Entry(DASH, hint=hint)
    below = "" if low is None or high is None else f"{low:.2f}{DASH}{high:.2f}"
    return Entry(f"{value:.2f}", value, hint, below)


def amount_entry(amount: Amount, what: str) -> Entry:
    """A mean over half the width of its interval."""
    if amount.value is None:
        return Entry(DASH, hint=f"{what}: not known")
    total = "" if amount.total is None else f", {quantity(amount.total)} in all"
    about = f"{what}: mean of {amount.n}{total}"
    if amount.low is None or amount.high is None:
        return Entry(quantity(amount.value), amount.value, about)
    text, half = with_half(amount.value, amount.high - amount.value)
    hint = f"{about}; 95 % interval {quantity(amount.low)} to {quantity(amount.high)}"
    return Entry(text, amount.value, hint, half)


def quantity(value: float, digits: int = 3) -> str:
    """A number with about so many digits."""
    if value == 0 or abs(value) >= 100:
        return number(value, 0)
    if abs(value) < SMALL:
        return _scaled(value, math.floor(math.log10(abs(value))), digits - 1)
    return f"{value:.{digits}g}".replace("-", MINUS)


def with_half(value: float, half: float) -> tuple[str, str]:
    """A value and half of its interval's width, both to two digits of the latter."""
    if half == 0:
        return quantity(value), "± 0"
    largest = max(abs(value), half)
    if largest < SMALL:
        power = math.floor(math.log10(largest))
        places = decimals(half / 10.0**power)
        return _scaled(value, power, places), f"± {_scaled(half, power, places)}"
    places = decimals(half)
    if places > MOST_PLACES:
        return quantity(value), f"± {quantity(half, 2)}"
    return number(value, places), f"± {number(half, places)}"


def _scaled(value: float, power: int, places: int) -> str:
    """A number as mantissa times a power of ten."""
    raised = str(power).translate(RAISED)
    return f"{number(value / 10.0**power, places)}×10{raised}"
