"""Event weights of simulation and what their sums are worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.physics.arrays import Floats, floats

PICOBARN_PER_FEMTOBARN = 1000.0
"""A cross-section in pb times a luminosity in fb^-1 needs this factor to be a number of events."""


class NormalisationError(ValueError):
    """A sample cannot be normalised with the numbers at hand."""


def normalisation(
    xsec_pb: float,
    filter_efficiency: float,
    k_factor: float,
    sum_of_weights: float,
    luminosity_fb: float,
) -> float:
    """What a unit of event weight is worth in events expected in the data.

    xsec · filteff · kfac · 1000 · luminosity / sum of weights (official ATLAS Open Data formula);
    cross-section in pb, luminosity in fb^-1. The sum of weights is signed and runs over every
    event of the sample. NormalisationError if a factor is not finite or the sum is zero.
    """
    factors = (xsec_pb, filter_efficiency, k_factor, sum_of_weights, luminosity_fb)
    if not all(math.isfinite(factor) for factor in factors) or sum_of_weights == 0:
        raise NormalisationError(
            "expected finite factors and a sum of weights that is not zero, found xsec_pb="
            f"{xsec_pb!r}, filter_efficiency={filter_efficiency!r}, k_factor={k_factor!r}, "
            f"sum_of_weights={sum_of_weights!r}, luminosity_fb={luminosity_fb!r}; look the sample "
            "up in the manifest"
        )
    produced = xsec_pb * filter_efficiency * k_factor * PICOBARN_PER_FEMTOBARN * luminosity_fb
    return produced / sum_of_weights


@dataclass(frozen=True)
class Yield:
    """A weighted number of events."""

    events: float
    """Sum of the weights, signed."""
    error: float
    """Its statistical uncertainty, the root of the sum of squared weights."""
    entries: int

    @property
    def effective_entries(self) -> float:
        """Unweighted events that would have the same relative uncertainty."""
        return (self.events / self.error) ** 2 if self.error > 0 else 0.0


def weighted_yield(weights: ArrayLike) -> Yield:
    """Sum of signed weights, with its statistical uncertainty; numpy's pairwise sum."""
    w = floats(weights)
    return Yield(float(w.sum()), float(np.sqrt((w * w).sum())), len(w))


def weighted_histogram(
    values: ArrayLike, weights: ArrayLike, edges: ArrayLike
) -> tuple[Floats, Floats]:
    """Sums of weights and of squared weights in the bins of `edges`: two arrays of shape (n,)."""
    x, w, bins = floats(values), floats(weights), floats(edges)
    contents, _ = np.histogram(x, bins=bins, weights=w)
    squares, _ = np.histogram(x, bins=bins, weights=w * w)
    return floats(contents), floats(squares)
