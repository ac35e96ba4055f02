"""Asimov significance of categories, and the greedy search for their boundaries."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.physics.arrays import Floats, Integers, floats

CANDIDATES = tuple(k / 100 for k in range(1, 100))
"""Scores at which a boundary may lie: 0.01 to 0.99 in steps of 0.01."""

SMALL_RATIO = 1e-4
"""Below this s/b the series replaces the formula, which would lose its digits."""


def asimov_z(signal: float, background: float) -> float:
    """Median significance of `signal` events over `background`: √(2[(s+b) ln(1+s/b) - s]).

    Cowan, Cranmer, Gross, Vitells (arXiv 1007.1727, eq. 97). Zero where s <= 0; zero also where
    b <= 0, because a category without background estimate proves nothing. NaN is an error.
    """
    if math.isnan(signal) or math.isnan(background):
        raise ValueError(f"expected numbers of events, found s={signal!r}, b={background!r}")
    if signal <= 0 or background <= 0:
        return 0.0
    ratio = signal / background
    if ratio < SMALL_RATIO:
        return math.sqrt(signal * ratio * (1 - ratio / 3))
    return math.sqrt(2 * ((signal + background) * math.log1p(ratio) - signal))


def combine(significances: Sequence[float]) -> float:
    """Significances of independent categories, summed in quadrature."""
    return math.sqrt(math.fsum(z * z for z in significances))


@dataclass(frozen=True)
class SignificanceRule:
    """The significance of one category, called as `rule(s, b)`, and when to stop adding more."""

    min_gain: float = 0.05
    """Relative gain in combined significance that a boundary must bring (arXiv 2512.07785)."""
    min_background: float = 0.8
    """Background events that each category must keep."""
    max_boundaries: int = 5

    def __call__(self, signal: float, background: float) -> float:
        """Asimov significance of one category."""
        return asimov_z(signal, background)

    def accepts(self, before: float, after: float) -> bool:
        """Whether going from `before` to `after` in combined significance is worth a boundary."""
        return gain(before, after) >= self.min_gain


def gain(before: float, after: float) -> float:
    """Relative gain of `after` over `before`; from nothing to something counts as 100 %."""
    if before > 0:
        return after / before - 1
    return 1.0 if after > 0 else 0.0


def category_index(score: ArrayLike, boundaries: Sequence[float]) -> Integers:
    """Category of each score: 0 below the first boundary; a score on a boundary lies above it."""
    return np.searchsorted(floats(boundaries), floats(score), side="right").astype(np.int64)


def category_yields(score: ArrayLike, weight: ArrayLike, boundaries: Sequence[float]) -> Floats:
    """Sum of weights in each of the len(boundaries)+1 categories."""
    index = category_index(score, boundaries)
    return floats(np.bincount(index, weights=floats(weight), minlength=len(boundaries) + 1))


@dataclass(frozen=True)
class Step:
    """One boundary that the greedy search looked at."""

    boundary: float
    combined: float
    """Significance of all categories together with this boundary."""
    gain: float
    accepted: bool


@dataclass(frozen=True)
class Scores:
    """Scores and weights of signal and background, shape (n,) each pair."""

    signal: Floats
    signal_weight: Floats
    background: Floats
    background_weight: Floats

    def binned(self, cuts: Sequence[float]) -> Scores:
        """The same yields for every set of boundaries out of `cuts`, in a few cells."""
        ordered = sorted(set(cuts))
        lowest = np.concatenate([[-np.inf], floats(ordered)])
        return Scores(
            lowest,
            category_yields(self.signal, self.signal_weight, ordered),
            lowest,
            category_yields(self.background, self.background_weight, ordered),
        )

    def yields(self, boundaries: Sequence[float]) -> tuple[Floats, Floats]:
        """Signal and background events per category."""
        ordered = sorted(boundaries)
        return (
            category_yields(self.signal, self.signal_weight, ordered),
            category_yields(self.background, self.background_weight, ordered),
        )

    def significances(
        self, boundaries: Sequence[float], significance: Callable[[float, float], float]
    ) -> list[float]:
        """Significance of each category, lowest scores first."""
        s, b = self.yields(boundaries)
        return [significance(float(x), float(y)) for x, y in zip(s, b, strict=True)]


def best_addition(
    scores: Scores, boundaries: Sequence[float], rule: SignificanceRule, candidates: Sequence[float]
) -> tuple[float, float] | None:
    """The candidate that, added to `boundaries`, gives most, and the combined significance.

    None where no candidate leaves every category its minimum of background. Among equals the
    lowest candidate wins.
    """
    best: tuple[float, float] | None = None
    for candidate in candidates:
        if candidate in boundaries:
            continue
        trial = sorted([*boundaries, candidate])
        if scores.yields(trial)[1].min() < rule.min_background:
            continue
        combined = combine(scores.significances(trial, rule))
        if best is None or combined > best[1]:
            best = (candidate, combined)
    return best


def greedy_steps(
    scores: Scores,
    rule: SignificanceRule,
    candidates: Sequence[float] = CANDIDATES,
    given: Sequence[float] | None = None,
) -> list[Step]:
    """The steps of the greedy search: accepted ones in their order, then the one that was refused.

    With `given`, only those boundaries are taken, in the order of their gain, whatever they bring
    (the history of somebody else's answer); the refused step is still what the rule says next.
    """
    scores = scores.binned([*candidates, *(given or ())])
    steps: list[Step] = []
    taken: list[float] = []
    current = combine(scores.significances([], rule))
    anything = SignificanceRule(min_gain=-math.inf, min_background=-math.inf)
    while given is not None and len(taken) < len(given):
        best = best_addition(scores, taken, anything, sorted(given))
        if best is None:
            break
        steps.append(Step(best[0], best[1], gain(current, best[1]), True))
        taken, current = [*taken, best[0]], best[1]
    while len(taken) < rule.max_boundaries:
        best = best_addition(scores, taken, rule, candidates)
        if best is None:
            break
        accepted = given is None and rule.accepts(current, best[1])
        steps.append(Step(best[0], best[1], gain(current, best[1]), accepted))
        if not accepted:
            break
        taken, current = [*taken, best[0]], best[1]
    return steps
