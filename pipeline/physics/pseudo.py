"""Pseudo-experiments: data drawn from a model, and the pulls of the signal strength fitted to
them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.physics.arrays import Floats
from pipeline.physics.likelihood import Likelihood, Observation
from pipeline.physics.model import MU, Model
from pipeline.physics.profile import Profile


def pseudo_data(model: Model, values: Floats, rng: np.random.Generator) -> Observation:
    """One pseudo-experiment: Poisson counts around the expectation at `values`, and auxiliary
    measurements drawn around their parameters, as another experiment would measure both."""
    counts = rng.poisson(np.maximum(model.expected(values), 0.0)).astype(np.float64)
    places = [model.index[name] for name in model.constrained]
    return Observation(counts, values[places] + rng.standard_normal(len(places)))


@dataclass(frozen=True)
class PseudoResult:
    """What the fit to one pseudo-experiment says of a known mu."""

    true_mu: float
    mu: float
    low: float
    high: float
    """Ends of the 68.3 % interval."""

    @property
    def pull(self) -> float:
        """(mu - true mu) over the error on the side of the truth."""
        error = self.mu - self.low if self.mu > self.true_mu else self.high - self.mu
        return (self.mu - self.true_mu) / error

    @property
    def covered(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.true_mu <= self.high


def pseudo_experiments(
    model: Model, values: Floats, mu: float, number: int, seed: int
) -> Iterator[PseudoResult]:
    """Fit `number` pseudo-experiments with signal strength `mu`, the rest at `values`.

    Each has a seed of its own, so that the first ten are the same whatever their number.
    """
    truth = values.copy()
    truth[model.index[MU]] = mu
    for sequence in np.random.SeedSequence(seed).spawn(number):
        data = pseudo_data(model, truth, np.random.default_rng(sequence))
        profile = Profile(Likelihood(model, data), start=truth)
        low, high = profile.interval()
        yield PseudoResult(mu, profile.best[MU], low, high)


@dataclass(frozen=True)
class PullSummary:
    """Mean and width of pulls, and how often the interval held the truth."""

    mu: float
    number: int
    mean: float
    width: float
    coverage: float
    mean_mu: float


def summarise(results: list[PseudoResult]) -> PullSummary:
    """Summary of pseudo-experiments with one true mu; the width is the sample standard deviation.

    ValueError with fewer than two.
    """
    if len(results) < 2:
        raise ValueError(f"expected two or more pseudo-experiments, found {len(results)}")
    pulls = np.array([result.pull for result in results])
    return PullSummary(
        mu=results[0].true_mu,
        number=len(results),
        mean=float(pulls.mean()),
        width=float(pulls.std(ddof=1)),
        coverage=float(np.mean([result.covered for result in results])),
        mean_mu=float(np.mean([result.mu for result in results])),
    )
