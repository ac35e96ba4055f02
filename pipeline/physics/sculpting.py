"""Whether a cut on the score bends the mass spectrum of the background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import kolmogorov

from pipeline.physics.arrays import Bools, Floats, finite_pair

MEAN_DISTANCE = 0.8687
SPREAD_OF_DISTANCE = 0.2603
"""Mean and standard deviation of the Kolmogorov distribution, of √n·D."""


@dataclass(frozen=True)
class Sculpting:
    """Distance between the mass shapes of background above and below a cut."""

    cut: float
    distance: float
    """Largest difference of the two cumulative mass distributions, 0 to 1."""
    expected: float
    """What statistics alone give on average."""
    spread: float
    """Standard deviation of that."""
    p_value: float
    """Chance of a distance this large if the score knew nothing of the mass."""
    entries_above: float
    entries_below: float


def sculpting(mass: ArrayLike, score: ArrayLike, weight: ArrayLike, cut: float) -> Sculpting:
    """Kolmogorov distance of weighted masses (GeV) above and below `cut`, arrays of shape (n,).

    Weights enter through the effective number of entries, (Σw)²/Σw². ValueError where one side of
    the cut has no positive total weight: nothing can be compared there.
    """
    m, w = finite_pair(mass, weight)
    s = np.asarray(score, dtype=np.float64)[np.isfinite(np.asarray(mass, dtype=np.float64))]
    above = s >= cut
    for name, side in (("above", above), ("below", ~above)):
        if w[side].sum() <= 0:
            raise ValueError(
                f"expected background events {name} the score cut {cut!r}, found "
                f"{int(side.sum())} with total weight {float(w[side].sum())!r}; choose another cut"
            )
    order = np.argsort(m, kind="stable")
    last_of_ties = np.append(np.diff(m[order]) > 0, True)
    cumulative_above = _cumulative(w[order], above[order])[last_of_ties]
    cumulative_below = _cumulative(w[order], ~above[order])[last_of_ties]
    distance = float(np.abs(cumulative_above - cumulative_below).max())
    n_above, n_below = _effective(w[above]), _effective(w[~above])
    root = float(np.sqrt(n_above * n_below / (n_above + n_below)))
    return Sculpting(
        cut=cut,
        distance=distance,
        expected=MEAN_DISTANCE / root,
        spread=SPREAD_OF_DISTANCE / root,
        p_value=float(kolmogorov(root * distance)),
        entries_above=n_above,
        entries_below=n_below,
    )


def _cumulative(weight: Floats, selected: Bools) -> Floats:
    summed = np.cumsum(np.where(selected, weight, 0.0))
    return np.asarray(summed / summed[-1], dtype=np.float64)


def _effective(weight: Floats) -> float:
    return float(weight.sum() ** 2 / (weight * weight).sum())
