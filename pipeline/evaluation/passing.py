"""pass@k: how likely at least one of k trials passes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.evaluation.intervals import wilson

KS = (1, 2, 3, 5, 10, 20)
"""Numbers of trials that pass@k is given for, as far as there are trials."""


@dataclass(frozen=True)
class PassAtK:
    """pass@k of one stage, or the mean over stages."""

    k: int
    n: int
    """Trials; of the stage with the fewest."""
    value: float
    low: float
    high: float


def pass_at(k: int, counts: Sequence[tuple[int, int]]) -> PassAtK | None:
    """pass@k, averaged over stages of which (passed, n) is given; None if one has n < k, or none.

    The unbiased estimator 1 - C(n-c, k) / C(n, k) of Chen et al., arXiv 2107.03374. Limits: with
    a rate p of single trials pass@k is 1 - (1-p)^k, which rises with p, so that Wilson's limits of
    p become those of pass@k (widened to contain the estimate where it lies outside); those of a
    mean over independent stages by the squares of their distances (MOVER: Zou and Donner, Stat.
    Med. 27 (2008) 1693).
    """
    if not counts or any(n < k for _, n in counts):
        return None
    estimates = [unbiased(k, passed, n) for passed, n in counts]
    value = math.fsum(estimates) / len(estimates)
    below = above = 0.0
    for estimate, (passed, n) in zip(estimates, counts, strict=True):
        low, high = (1 - (1 - p) ** k for p in wilson(passed, n))
        below += max(0.0, estimate - low) ** 2
        above += max(0.0, high - estimate) ** 2
    low = max(0.0, value - math.sqrt(below) / len(counts))
    high = min(1.0, value + math.sqrt(above) / len(counts))
    return PassAtK(k, min(n for _, n in counts), value, low, high)


def unbiased(k: int, passed: int, n: int) -> float:
    """The probability that k of n trials, drawn without putting back, hold one that passed."""
    return 1 - math.comb(n - passed, k) / math.comb(n, k)
