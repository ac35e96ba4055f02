"""The shape of a resonance: a Gaussian core with a power-law tail on either side."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from iminuit import Minuit
from numpy.typing import ArrayLike
from scipy.special import erf

from pipeline.physics.arrays import Floats, finite_pair, floats
from pipeline.physics.regions import Range, bin_edges
from pipeline.physics.weights import weighted_histogram, weighted_yield

ROOT_TWO, ROOT_HALF_PI = math.sqrt(2), math.sqrt(math.pi / 2)
FIT_BIN_WIDTH = 0.25
"""GeV; narrow against every resolution met here (more than 1 GeV)."""
ENOUGH_ENTRIES = 200.0
"""Effective simulated events below which the tails are not fitted."""
FEW_ENTRIES = 20.0
"""Effective simulated events below which nothing is fitted."""
LIMITS = {
    "mean": (-3.0, 3.0),  # GeV, around the expected mass
    "sigma": (0.4, 8.0),
    "alpha_low": (0.5, 4.0),
    "n_low": (1.5, 40.0),
    "alpha_high": (0.5, 4.0),
    "n_high": (1.5, 40.0),
}


@dataclass(frozen=True)
class DoubleCrystalBall:
    """Double-sided Crystal Ball: Gaussian between mean - alpha_low·sigma and mean +
    alpha_high·sigma, power laws of order n beyond (ATLAS arXiv 1802.04146, eq. 4)."""

    mean: float
    """GeV."""
    sigma: float
    """GeV."""
    alpha_low: float = 1.6
    n_low: float = 8.0
    alpha_high: float = 1.8
    n_high: float = 12.0

    @cached_property
    def _constants(self) -> tuple[float, ...]:
        """Offset, height and unit integral of the lower and the upper tail; norm; core offset."""
        offset_low = self.n_low / self.alpha_low - self.alpha_low
        offset_high = self.n_high / self.alpha_high - self.alpha_high
        height_low = math.exp(-(self.alpha_low**2) / 2)
        height_high = math.exp(-(self.alpha_high**2) / 2)
        whole_low = height_low * (offset_low + self.alpha_low) / (self.n_low - 1)
        whole_high = height_high * (offset_high + self.alpha_high) / (self.n_high - 1)
        core_low = ROOT_HALF_PI * math.erf(-self.alpha_low / ROOT_TWO)
        core_high = ROOT_HALF_PI * math.erf(self.alpha_high / ROOT_TWO)
        norm = whole_low + core_high - core_low + whole_high
        return offset_low, height_low, offset_high, height_high, whole_high, core_low, norm

    def standard(self, t: Floats) -> tuple[Floats, Floats]:
        """Cumulative share and density in t = (mass - mean)/sigma, both of the shape of t.

        Each of the three pieces is constant outside its own part of the axis, so that the density
        is their product and the cumulative share the sum of their integrals.
        """
        offset_low, height_low, offset_high, height_high, whole_high, core_low, norm = (
            self._constants
        )
        low = offset_low - np.minimum(t, -self.alpha_low)
        high = offset_high + np.maximum(t, self.alpha_high)
        middle = np.minimum(np.maximum(t, -self.alpha_low), self.alpha_high)
        tail_low = (low / (offset_low + self.alpha_low)) ** -self.n_low
        tail_high = (high / (offset_high + self.alpha_high)) ** -self.n_high
        density = np.exp(-0.5 * middle * middle) * tail_low * tail_high
        cumulative = (
            (height_low / (self.n_low - 1)) * tail_low * low
            + (ROOT_HALF_PI * erf(middle / ROOT_TWO) - core_low)
            + (whole_high - (height_high / (self.n_high - 1)) * tail_high * high)
        )
        return cumulative / norm, density / norm

    def density(self, mass: ArrayLike) -> Floats:
        """Density per GeV at `mass` (GeV), normalised over all masses."""
        return self.standard((floats(mass) - self.mean) / self.sigma)[1] / self.sigma

    def cdf(self, mass: ArrayLike) -> Floats:
        """Share of the events below `mass` (GeV)."""
        return self.standard((floats(mass) - self.mean) / self.sigma)[0]

    def fraction(self, interval: Range) -> float:
        """Share of the events in `interval` (GeV)."""
        low, high = self.cdf(np.array(interval))
        return float(high - low)


def fit_shape(
    mass: ArrayLike,
    weight: ArrayLike,
    interval: Range,
    expected_mass: float,
    fallback: DoubleCrystalBall | None = None,
) -> DoubleCrystalBall:
    """Shape of simulated signal: maximum of Σ w ln p over masses (GeV) in `interval`.

    Weights are signed; bins of 0.25 GeV whose sum is negative count as they are. With fewer than
    200 effective events the tails come from `fallback` (or the defaults), with fewer than 20 or no
    positive total weight the whole shape does. The fit starts from the middle half of the events.
    """
    m, w = finite_pair(mass, weight)
    kept = (m >= interval[0]) & (m <= interval[1])
    m, w = m[kept], w[kept]
    start = fallback or DoubleCrystalBall(expected_mass, 1.5)
    simulated = weighted_yield(w)
    effective = simulated.effective_entries
    if simulated.events <= 0 or effective < FEW_ENTRIES:
        return start
    if fallback is None:
        start = replace(start, sigma=_core_width(m, np.abs(w)))
    edges = bin_edges(interval, FIT_BIN_WIDTH)
    contents = weighted_histogram(m, w, edges)[0] / simulated.events
    names = list(LIMITS)

    def negative_log_likelihood(parameters: Floats) -> float:
        shares = np.diff(DoubleCrystalBall(*map(float, parameters)).cdf(edges))
        norm = float(shares.sum())
        return float(-effective * (contents @ np.log(np.maximum(shares / norm, 1e-300))))

    minuit = Minuit(
        negative_log_likelihood, np.array([getattr(start, n) for n in names]), name=names
    )
    minuit.errordef = Minuit.LIKELIHOOD
    minuit.strategy = 0
    for name, (low, high) in LIMITS.items():
        shift = expected_mass if name == "mean" else 0.0
        minuit.limits[name] = (low + shift, high + shift)
        minuit.errors[name] = 0.1
        minuit.fixed[name] = effective < ENOUGH_ENTRIES and name not in ("mean", "sigma")
        minuit.values[name] = float(np.clip(minuit.values[name], low + shift, high + shift))
    minuit.migrad(ncall=4000)
    return DoubleCrystalBall(*(float(minuit.values[name]) for name in names))


def _core_width(mass: Floats, weight: Floats) -> float:
    """Half of the range that holds the middle 68 % of the weight, kept within the limits."""
    order = np.argsort(mass, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    low, high = mass[order][np.searchsorted(share, [0.16, 0.84])]
    return float(np.clip((high - low) / 2, *LIMITS["sigma"]))
