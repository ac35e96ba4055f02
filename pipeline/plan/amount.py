"""A number of a plan: its value, the interval it may lie in, and how it is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Self


@dataclass(frozen=True)
class Amount:
    """`value` between `low` and `high` (None: not known), and `how` in a few words."""

    value: float | None
    low: float | None
    high: float | None
    how: str

    @classmethod
    def exact(cls, value: float, how: str) -> Self:
        return cls(value, value, value, how)

    @classmethod
    def unknown(cls, why: str) -> Self:
        return cls(None, None, None, why)

    @classmethod
    def within(cls, value: float, factor: float, how: str) -> Self:
        """`value`, known to a factor either way."""
        return cls(value, value / factor, value * factor, how)

    @classmethod
    def spread(cls, values: Sequence[float], how: str) -> Self:
        """The median of positive `values` between the smallest and the largest."""
        return cls(median(values), min(values), max(values), how)

    @property
    def is_exact(self) -> bool:
        return self.value is not None and self.low == self.high

    def times(self, other: Amount | float, how: str | None = None) -> Amount:
        """The product; relative intervals, taken as independent, add in quadrature."""
        if not isinstance(other, Amount):
            other = Amount.exact(other, "")
        if self.value is None or other.value is None:
            return Amount.unknown(self.how if self.value is None else other.how)
        value = self.value * other.value
        down, up = (
            math.hypot(*(_log(one.value, end) for one, end in pair))
            for pair in (
                ((self, self.low), (other, other.low)),
                ((self, self.high), (other, other.high)),
            )
        )
        words = "; ".join(dict.fromkeys(filter(None, (self.how, other.how))))
        return Amount(value, value * math.exp(-down), value * math.exp(up), how or words)

    def plain(self) -> dict[str, Any]:
        """The amount as JSON types."""
        return asdict(self)


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum; intervals add linearly, because what one estimate has wrong all have wrong."""
    parts = list(amounts)
    words = "; ".join(dict.fromkeys(p.how for p in parts))
    if any(p.value is None for p in parts):
        return Amount.unknown("; ".join(dict.fromkeys(p.how for p in parts if p.value is None)))
    return Amount(
        sum(p.value or 0 for p in parts), sum(p.low or 0 for p in parts),
        sum(p.high or 0 for p in parts), words,
    )  # fmt: skip


def _log(value: float | None, end: float | None) -> float:
    """Logarithmic distance of an end of an interval from its value."""
    if not value or not end:
        return 0.0
    return abs(math.log(end / value))
