"""Families of smooth functions for a falling mass spectrum, and histograms from simulation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.special import comb

from pipeline.physics.arrays import Floats, floats
from pipeline.physics.regions import Range
from pipeline.physics.weights import weighted_histogram

POINTS_PER_BIN = 3
"""Gauss-Legendre points in a bin: exact for polynomials up to degree 5."""
POINTS_IN_RANGE = 48
"""Points over the whole fit range, for the norm: exact up to degree 95."""
LARGEST_EXPONENT = 30.0
SMALLEST_NORM = 1e-9
"""Keeps a minimiser that went astray from a division by zero."""
EMPTY_BIN_SHARE = 1e-3
"""Share of the mean that an empty bin of a template keeps: an event there is unlikely, not
impossible."""


@dataclass(frozen=True)
class Family:
    """A family of densities on a mass range, with `n_parameters` shape parameters.

    In u = (m - middle)/(half width), from -1 to 1: `exponential` is exp(Σ a_k u^k), `power` is
    exp(Σ a_k ln(m/middle)^k), `bernstein` is Σ c_k B_k(u) with c_0 = 1 and c_k = 1 + a_k. All zero
    is flat in every family, and with a free yield each has one minimum only: its log is linear in
    the parameters, or it is.
    """

    name: str
    kind: str
    n_parameters: int

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the shape parameters."""
        return tuple(f"a{k}" for k in range(1, self.n_parameters + 1))

    def basis(self, mass: Floats, interval: Range) -> Floats:
        """Fixed functions that the density is made of, shape (len(mass), rows)."""
        middle, half = (interval[0] + interval[1]) / 2, (interval[1] - interval[0]) / 2
        if self.kind == "bernstein":
            n, t = self.n_parameters, (mass - interval[0]) / (2 * half)
            return np.stack([comb(n, k) * t**k * (1 - t) ** (n - k) for k in range(n + 1)], axis=-1)
        x = np.log(mass / middle) if self.kind == "power" else (mass - middle) / half
        return np.stack([x**k for k in range(1, self.n_parameters + 1)], axis=-1)

    def values(self, basis: Floats, theta: Floats) -> tuple[Floats, Floats]:
        """Density, not normalised, on a basis (n, rows), and its gradient (n, n_parameters)."""
        if self.kind == "bernstein":
            return 1.0 + basis[:, 1:] @ theta, basis[:, 1:]
        bounded = np.minimum(np.maximum(theta, -LARGEST_EXPONENT), LARGEST_EXPONENT)
        density = np.exp(np.minimum(basis @ bounded, 20 * LARGEST_EXPONENT))
        return density, basis * density[:, None]

    def density(self, mass: Floats, theta: Floats, interval: Range) -> Floats:
        """Density per GeV at `mass`, normalised on `interval`."""
        nodes, weights = _range_nodes(interval)
        norm = weights @ self.values(self.basis(nodes, interval), theta)[0]
        return floats(self.values(self.basis(floats(mass), interval), theta)[0] / norm)


FAMILIES = (
    Family("exponential", "exponential", 1),
    Family("power law", "power", 1),
    Family("exponential of 2nd order", "exponential", 2),
    Family("exponential of 3rd order", "exponential", 3),
    Family("Bernstein of 3rd order", "bernstein", 3),
    Family("Bernstein of 4th order", "bernstein", 4),
    Family("Bernstein of 5th order", "bernstein", 5),
)
"""Candidates, in the order in which they are tried."""


@dataclass(frozen=True, eq=False)
class BinnedFamily:
    """A family integrated over bins: fractions of the whole range that fall into each bin."""

    family: Family
    lows: Floats
    highs: Floats
    interval: Range

    @property
    def n_parameters(self) -> int:
        """Number of shape parameters."""
        return self.family.n_parameters

    @cached_property
    def _quadrature(self) -> tuple[Floats, Floats, Floats, Floats]:
        x, w = leggauss(POINTS_PER_BIN)
        half, middle = (self.highs - self.lows) / 2, (self.highs + self.lows) / 2
        nodes = (middle[:, None] + half[:, None] * x).ravel()
        weights = (half[:, None] * w).ravel()
        full_nodes, full_weights = _range_nodes(self.interval)
        basis = self.family.basis(nodes, self.interval)
        return basis, weights, self.family.basis(full_nodes, self.interval), full_weights

    def fractions(self, theta: Floats) -> tuple[Floats, Floats]:
        """Fractions per bin, shape (n,), and their gradient, shape (n_parameters, n).

        Bins that tile the range sum to one.
        """
        basis, weights, full_basis, full_weights = self._quadrature
        density, slope = self.family.values(basis, theta)
        full_density, full_slope = self.family.values(full_basis, theta)
        norm = max(float(full_weights @ full_density), SMALLEST_NORM)
        shape = (len(self.lows), POINTS_PER_BIN)
        content = (density * weights).reshape(shape).sum(axis=1) / norm
        slopes = (slope * weights[:, None]).reshape(*shape, -1).sum(axis=1).T / norm
        return content, slopes - np.outer(full_weights @ full_slope / norm, content)


@dataclass(frozen=True, eq=False)
class Template:
    """A background shape from simulation: fixed fractions per bin, no shape parameters."""

    contents: Floats
    n_parameters: int = 0

    @classmethod
    def from_events(cls, mass: Floats, weight: Floats, edges: Floats) -> Template:
        """Histogram of weighted masses (GeV); negative and empty bins keep a small share.

        ValueError if the total weight is not positive.
        """
        contents = np.maximum(weighted_histogram(mass, weight, edges)[0], 0.0)
        if contents.sum() <= 0:
            raise ValueError(
                f"expected simulated background between {edges[0]!r} and {edges[-1]!r} GeV, found "
                f"{len(mass)} events with total weight {float(np.sum(weight))!r}"
            )
        contents = np.maximum(contents, EMPTY_BIN_SHARE * contents.mean())
        return cls(contents / contents.sum())

    def fractions(self, theta: Floats) -> tuple[Floats, Floats]:
        """The fractions per bin, shape (n,), and an empty gradient, shape (0, n)."""
        return self.contents, np.empty((0, len(self.contents)))


Background = BinnedFamily | Template


@lru_cache(maxsize=32)
def _range_nodes(interval: Range) -> tuple[Floats, Floats]:
    x, w = leggauss(POINTS_IN_RANGE)
    half = (interval[1] - interval[0]) / 2
    return half * x + (interval[0] + interval[1]) / 2, half * w
