"""The extended binned likelihood, simultaneous over categories, and its derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.physics.arrays import Bools, Floats, Integers
from pipeline.physics.model import Model

SMALLEST_EXPECTATION = 1e-3
"""Events per bin below which the logarithm is continued by a parabola. Below zero another one is
added: a negative signal may not make a bin's expectation negative, and a wall with a slope keeps
the minimiser on its feet."""


@dataclass(frozen=True, eq=False)
class Observation:
    """What was measured: events per bin, and the auxiliary measurements of the nuisances."""

    counts: Floats
    """All bins of all categories, shape (n_bins,); not whole numbers for Asimov data."""
    auxiliary: Floats
    """One per constrained parameter, in standard deviations; zero in data."""


class Likelihood:
    """Negative logarithm of the likelihood ratio to the saturated model, with derivatives.

    Σ [ν - n + n ln(n/ν)] + ½ Σ (θ - θ₀)²: twice it is the chi-square of Baker and Cousins (Nucl.
    Instr. Meth. 221 (1984) 437), so its value at the minimum means something.
    """

    def __init__(self, model: Model, observation: Observation, used: Bools | None = None) -> None:
        """`used` marks the bins that count, shape (n_bins,); all if None."""
        if observation.counts.shape != (model.n_bins,):
            raise ValueError(
                f"expected counts in {model.n_bins} bins, found shape {observation.counts.shape!r}"
            )
        if not (np.isfinite(observation.counts).all() and (observation.counts >= 0).all()):
            raise ValueError("expected counts that are finite and not negative in every bin")
        self.model, self.observation = model, observation
        self._constrained = np.array([model.index[name] for name in model.constrained], dtype=int)
        self._used = np.ones(model.n_bins) if used is None else used.astype(np.float64)
        self._divisor = np.where(observation.counts > 0, observation.counts, 1.0)
        self._key: bytes = b""
        self._parts: list[tuple[Floats, Floats]] = []

    def _evaluate(self, values: Floats) -> list[tuple[Floats, Floats]]:
        key = values.tobytes()
        if key != self._key:
            self._parts = [block.evaluate(values) for block in self.model.blocks]
            self._key = key
        return self._parts

    def value(self, values: Floats) -> float:
        """Negative log-likelihood at `values`, shape (n_parameters,)."""
        nu = np.concatenate([part[0] for part in self._evaluate(values)])
        n = self.observation.counts
        safe = np.maximum(nu, SMALLEST_EXPECTATION)
        low, negative = _below(nu)
        # ν - n + n ln(n/ν) as n (x - ln(1+x)), x = ν/n - 1: no large numbers cancel, which would
        # leave a noise that Minuit takes for the shape of the likelihood.
        excess = safe - n
        terms = excess - n * np.log1p(excess / self._divisor)
        terms += (SMALLEST_EXPECTATION - n) * low + n * low**2 / 2 + negative**2 / 2
        pulls = values[self._constrained] - self.observation.auxiliary
        return float(self._used @ terms + 0.5 * pulls @ pulls)

    def gradient(self, values: Floats) -> Floats:
        """Derivatives of `value`, shape (n_parameters,)."""
        result = np.zeros(len(values))
        for where, bins, (nu, slope) in self._by_category(values):
            n = self.observation.counts[bins]
            safe = np.maximum(nu, SMALLEST_EXPECTATION)
            low, negative = _below(nu)
            pull = 1 - n / safe + (n * low + negative) / SMALLEST_EXPECTATION
            result[where] += slope @ (pull * self._used[bins])
        result[self._constrained] += values[self._constrained] - self.observation.auxiliary
        return result

    def information(self, values: Floats) -> Floats:
        """Fisher's expected information, (n_parameters, n_parameters): Newton's matrix without the
        second derivatives of the expectation, hence never negative."""
        result = np.zeros((len(values), len(values)))
        for where, bins, (nu, slope) in self._by_category(values):
            n = self.observation.counts[bins]
            safe = np.maximum(nu, SMALLEST_EXPECTATION)
            weight = np.where(nu > SMALLEST_EXPECTATION, safe, np.maximum(n, safe)) / safe**2
            weight += (nu < 0) / SMALLEST_EXPECTATION**2
            result[np.ix_(where, where)] += (slope * (weight * self._used[bins])) @ slope.T
        result[self._constrained, self._constrained] += 1.0
        return result

    def _by_category(self, values: Floats) -> list[tuple[Integers, slice, tuple[Floats, Floats]]]:
        """Per category: its parameters, its bins, and the expectation with its gradient."""
        places = [block.used for block in self.model.blocks]
        return list(zip(places, self.model.slices, self._evaluate(values), strict=True))


def _below(nu: Floats) -> tuple[Floats, Floats]:
    """How far expectations lie below the smallest one and below zero, in units of the former."""
    low = np.minimum(nu - SMALLEST_EXPECTATION, 0.0) / SMALLEST_EXPECTATION
    return low, np.minimum(nu, 0.0) / SMALLEST_EXPECTATION
