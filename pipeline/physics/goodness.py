"""How well an expectation describes counts: chi-square over bins merged until each holds enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from pipeline.physics.arrays import Bools, Floats

ENOUGH_EXPECTED = 5.0
"""Expected events in a merged bin, below which Pearson's chi-square does not follow its law."""


@dataclass(frozen=True)
class Goodness:
    """Chi-square, its degrees of freedom, and the chance of one at least as large."""

    chi2: float
    ndf: int
    probability: float


def chi_square(
    counts: Floats, expected: Floats, n_parameters: int, used: Bools | None = None
) -> Goodness:
    """Pearson's chi-square of `counts` against `expected`, both of shape (n,).

    Neighbouring bins are merged until 5 events are expected; what is left over joins the last.
    Only bins marked in `used` count. With no degree of freedom left the probability is 1: such
    counts cannot speak against the expectation.
    """
    kept = np.ones(len(counts), dtype=bool) if used is None else used
    total, merged = [0.0, 0.0], []
    for n, nu in zip(counts[kept].tolist(), expected[kept].tolist(), strict=True):
        total = [total[0] + n, total[1] + nu]
        if total[1] >= ENOUGH_EXPECTED:
            merged.append(total)
            total = [0.0, 0.0]
    if merged:
        merged[-1] = [merged[-1][0] + total[0], merged[-1][1] + total[1]]
    value = sum((n - nu) ** 2 / nu for n, nu in merged)
    ndf = len(merged) - n_parameters
    return Goodness(float(value), max(ndf, 0), float(chi2.sf(value, ndf)) if ndf > 0 else 1.0)
