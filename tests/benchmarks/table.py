"""The one table that the benchmarks print: what, asked, reached, and how to measure it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One number of a benchmark: what issue 6 asks for, and what was reached here and now."""

    what: str
    asked: float
    reached: float
    unit: str = ""
    most: bool = False
    """Whether less is better: `asked` is the most that is allowed."""
    held: float | None = None
    """What is asserted, where that is less strict than what was asked."""

    @property
    def holds(self) -> bool:
        """Whether what was reached is within what is asserted."""
        limit = self.asked if self.held is None else self.held
        return self.reached <= limit if self.most else self.reached >= limit

    @property
    def line(self) -> str:
        sign = "at most" if self.most else "at least"
        asked = f"{sign} {_text(self.asked)} {self.unit}".rstrip()
        if self.held is not None:
            asked += f" (held: {_text(self.held)})"
        met = self.reached <= self.asked if self.most else self.reached >= self.asked
        value = f"{_text(self.reached)} {self.unit}".rstrip()
        return f"  {self.what:52s}{asked:32s}{value:14s}{'yes' if met else 'MISSED'}"


def _text(number: float) -> str:
    """Counts in full, measures with three digits."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:.3g}"


def printed(title: str, rows: Sequence[Row], module: str) -> str:
    """The table of one benchmark."""
    head = f"  {'what':52s}{'asked':32s}{'reached':14s}met"
    again = f"  again: python -m pytest -m benchmark -s {module}"
    return "\n".join(["", title, head, *(row.line for row in rows), again])


def check(rows: Sequence[Row]) -> None:
    """Fail for the first row that is not what is held."""
    for row in rows:
        assert row.holds, row.line
