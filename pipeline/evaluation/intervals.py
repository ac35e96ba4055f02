"""Intervals: how far the true rate, mean or ratio may be from what a few trials showed.

All are two-sided at `CONFIDENCE` and deterministic: the same cells give the same digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """A proportion with its Wilson interval; value and limits are None if n is 0."""

    passed: int
    n: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Amount:
    """A mean, ratio or share over n cells; limits are None where n does not allow any."""

    n: int
    value: float | None
    low: float | None
    high: float | None
    total: float | None
    """Sum over the cells; of the numerator for a ratio."""


NOTHING = Amount(0, None, None, None, None)


def wilson(passed: float, n: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The score interval of a proportion, without continuity correction; n > 0.

    E. B. Wilson, JASA 22 (1927) 209; recommended for few trials by Brown, Cai and DasGupta,
    Statist. Sci. 16 (2001) 101. It is never empty, also where all or none passed. Neither number
    needs to be whole: `n` may be an effective number of trials.
    """
    if not 0 <= passed <= n or n <= 0:
        raise ValueError(f"expected 0 <= passed <= n with n > 0, found {passed!r} of {n!r}")
    z = _normal(confidence)
    p, z2 = passed / n, z * z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low = 0.0 if passed == 0 else max(0.0, centre - half)
    high = 1.0 if passed == n else min(1.0, centre + half)
    return low, high


def rate(passed: int, n: int) -> Rate:
    """`passed` of `n` with its interval."""
    if n == 0:
        return Rate(0, 0, None, None, None)
    return Rate(passed, n, passed / n, *wilson(passed, n))


def mean(values: Sequence[float], at_least: float | None = None) -> Amount:
    """The mean with Student's interval; limits are None for fewer than two values.

    No mean can be below `at_least`, so neither is the limit. Values that are all the same give an
    interval without width: it says nothing of values that did not occur.
    """
    n = len(values)
    if n == 0:
        return NOTHING
    total = math.fsum(values)
    value = total / n
    if n == 1:
        return Amount(1, value, None, None, total)
    variance = math.fsum((v - value) ** 2 for v in values) / (n - 1)
    half = _student(n - 1) * math.sqrt(variance / n)
    low = value - half if at_least is None else max(at_least, value - half)
    return Amount(n, value, low, value + half, total)


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> Amount:
    """Sum of parts over sum of wholes, of quantities that are not negative.

    Limits by linearisation, with Student's quantile (W. G. Cochran, Sampling Techniques, 3rd ed.
    1977, chapter 6): parts and wholes of one cell belong together and may vary together. None
    for fewer than two cells, everything None if the wholes are all zero.
    """
    n, part, whole = len(parts), math.fsum(parts), math.fsum(wholes)
    if whole <= 0:
        return Amount(n, None, None, None, part) if n else NOTHING
    value = part / whole
    if n == 1:
        return Amount(n, value, None, None, part)
    squares = math.fsum((x - value * y) ** 2 for x, y in zip(parts, wholes, strict=True))
    half = _student(n - 1) * math.sqrt(squares * n / (n - 1)) / whole
    return Amount(n, value, max(0.0, value - half), value + half, part)


def share(parts: Sequence[float], wholes: Sequence[float]) -> Amount:
    """`ratio` where each part is at most its whole.

    Where all of it, or none, is in the parts nothing varies between the cells: then the limits
    are those of Wilson with the number of cells, as if each cell were one trial.
    """
    found = ratio(parts, wholes)
    if found.value is None:
        return found
    if found.value in (0.0, 1.0) or found.low is None or found.high is None:
        low, high = wilson(found.value * found.n, found.n)
    else:
        low, high = found.low, min(1.0, found.high)
    return Amount(found.n, found.value, low, high, found.total)


@cache
def _normal(confidence: float) -> float:
    return float(stats.norm.ppf((1 + confidence) / 2))


@cache
def _student(freedom: int) -> float:
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom))
