"""Counts in bins with their errors, and curves averaged over the same bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import hist
import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Array = NDArray[np.float64]
ONE_SIGMA = 0.682689492137086
"""Probability content of plus and minus one standard deviation."""


@dataclass(frozen=True)
class Binned:
    """Contents of bins with the lengths of their error bars, all of shape (n,); edges (n + 1,)."""

    edges: Array
    values: Array
    low: Array
    high: Array
    variances: Array
    weighted: bool

    @property
    def centres(self) -> Array:
        return (self.edges[1:] + self.edges[:-1]) / 2

    @property
    def widths(self) -> Array:
        return np.diff(self.edges)

    def inside(self, low: float, high: float) -> NDArray[np.bool_]:
        """Which bins lie within [low, high]."""
        return (self.edges[:-1] >= low - 1e-9) & (self.edges[1:] <= high + 1e-9)

    def histogram(self, name: str, label: str) -> hist.Hist[Any]:
        """The same as a `hist.Hist`, with a regular axis `name` where the bins allow it."""
        return histogram(
            self.edges, self.values, name, label, self.variances if self.weighted else None
        )


def poisson_errors(counts: Array) -> tuple[Array, Array]:
    """Lower and upper error of observed `counts`: the central 68.3 % interval.

    F. Garwood, Biometrika 28 (1936) 437; the lower error of 0 is 0, the upper 1.84.
    """
    tail = (1 - ONE_SIGMA) / 2
    safe = np.maximum(counts, 1.0)
    low = np.where(counts > 0, counts - chi2.ppf(tail, 2 * safe) / 2, 0.0)
    high = chi2.ppf(1 - tail, 2 * (counts + 1)) / 2 - counts
    return low, high


def count(values: Array, edges: Array) -> Binned:
    """Unweighted events per bin with Poisson errors; the last bin includes its upper edge."""
    counts = np.histogram(values, bins=edges)[0].astype(float)
    low, high = poisson_errors(counts)
    return Binned(edges, counts, low, high, counts, weighted=False)


def weigh(values: Array, weights: Array, edges: Array) -> Binned:
    """Sums of weights per bin, with the square root of the sum of squared weights as error."""
    total = np.histogram(values, bins=edges, weights=weights)[0].astype(float)
    variances = np.histogram(values, bins=edges, weights=weights**2)[0].astype(float)
    error = np.sqrt(variances)
    return Binned(edges, total, error, error, variances, weighted=True)


def edges_between(low: float, high: float, width: float) -> Array:
    """Edges of bins of `width` from `low` to `high`; ValueError if it does not divide the range."""
    number = round((high - low) / width)
    if number < 1 or abs(number * width - (high - low)) > 1e-9:
        raise ValueError(f"expected bins that fill {low!r} to {high!r}, found a width of {width!r}")
    return np.linspace(low, high, number + 1)


def bin_averages(position: Array, density: Array, edges: Array) -> Array:
    """Mean of a curve, linear between its points, over each bin; shape (n,)."""
    grid = np.union1d(position, edges)
    values = np.interp(grid, position, density)
    steps = np.diff(grid) * (values[1:] + values[:-1]) / 2
    integral = np.concatenate(([0.0], np.cumsum(steps)))
    return np.diff(np.interp(edges, grid, integral)) / np.diff(edges)


def histogram(
    edges: Array, values: Array, name: str, label: str, variances: Array | None = None
) -> hist.Hist[Any]:
    """A one-dimensional `hist.Hist` with these contents (and, if given, variances)."""
    axis: Any
    if np.allclose(np.diff(edges), edges[1] - edges[0]):
        axis = hist.axis.Regular(
            len(edges) - 1, float(edges[0]), float(edges[-1]), name=name, label=label
        )
    else:
        axis = hist.axis.Variable([float(e) for e in edges], name=name, label=label)
    if variances is None:
        plain: hist.Hist[Any] = hist.Hist(axis, storage=hist.storage.Double())
        plain.view()[:] = values
        return plain
    weighted: hist.Hist[Any] = hist.Hist(axis, storage=hist.storage.Weight())
    contents: Any = weighted.view()
    contents.value = values
    contents.variance = variances
    return weighted
