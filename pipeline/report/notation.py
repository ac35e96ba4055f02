"""How numbers are written: rounding to their uncertainty, signs, thousands, units."""

from __future__ import annotations

import math
from dataclasses import dataclass

MINUS = "\u2212"
THIN = "\u202f"
DASH = "\u2013"


@dataclass(frozen=True)
class Interval:
    """A value with the lengths of its errors as text, all rounded to the same decimals."""

    value: str
    up: str
    down: str

    @property
    def symmetric(self) -> bool:
        return self.up[1:] == self.down[1:]

    @property
    def plain(self) -> str:
        """In one line: 1.02 ± 0.21, or 1.02 +0.22 −0.20."""
        if self.symmetric:
            return f"{self.value} ± {self.up[1:]}"
        return f"{self.value} {self.up} {self.down}"


def decimals(error: float, digits: int = 2) -> int:
    """Decimal places that show `digits` significant digits of an error; 2 if it is 0."""
    if not error or not math.isfinite(error):
        return 2
    return max(0, digits - 1 - math.floor(math.log10(abs(error))))


def number(value: float | None, places: int = 2) -> str:
    """A number with thin spaces between thousands and a true minus sign; a dash for None."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{abs(value):,.{places}f}".replace(",", THIN)
    negative = value < 0 and any(digit in "123456789" for digit in text)
    return f"{MINUS}{text}" if negative else text


def whole(value: float | None) -> str:
    """A count."""
    return number(value, 0)


def signed(value: float | None, places: int = 2) -> str:
    """A number that always has its sign; a dash for None."""
    if value is None:
        return DASH
    text = number(value, places)
    return text if text.startswith(MINUS) else f"+{text}"


def interval(
    value: float, errors: tuple[float | None, float | None], places: int | None = None
) -> Interval:
    """A value with errors (negative, positive); decimals follow the smaller known error."""
    known = [abs(e) for e in errors if e]
    if places is None:
        places = decimals(min(known)) if known else 2
    low, high = errors
    down = f"{MINUS}{number(abs(low), places)}" if low is not None else f"{MINUS}?"
    up = f"+{number(abs(high), places)}" if high is not None else "+?"
    return Interval(number(value, places), up, down)


def with_error(value: float, error: float) -> str:
    """Value ± error, two significant digits of the error."""
    places = min(decimals(error), 3)
    return f"{number(value, places)} ± {number(error, places)}"


def percent(share: float, places: int = 1) -> str:
    return f"{number(100 * share, places)} %"


def share(value: float) -> str:
    """A share between 0 and 1 in per cent, with as many digits as it needs."""
    if value <= 0 or value >= 0.995:
        return percent(value, 0)
    return percent(value, decimals(100 * value, 3) if value < 0.1 else 1)


def short_hash(digest: str) -> str:
    return digest[:12]


def seconds(value: float) -> str:
    """A duration."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s"
