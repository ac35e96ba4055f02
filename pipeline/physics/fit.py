"""Maximum-likelihood fits with iminuit: best values, and the covariance of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from iminuit import Minuit

from pipeline.physics.arrays import Floats, Integers
from pipeline.physics.likelihood import Likelihood

TOLERANCE = 1e-3
"""Minuit's tolerance: the estimated distance to the minimum is then below 1e-6 in the
log-likelihood, small against the 0.5 of one standard deviation."""
CLOSE_ENOUGH = 1e-4
"""Estimated distance that counts as a minimum although Minuit, which wants less, gave up: where a
bin's expectation is about to become negative the likelihood has an edge."""
MOST_CALLS = 1000
GRADIENT_STEP = 1e-3
"""Step of the second derivatives, in standard deviations."""
UNDETERMINED = 1e3
"""Uncertainty given to a parameter of which the data say nothing."""
SMALLEST_EIGENVALUE = 1e-9
"""Of the second derivatives in units of their diagonal, below which they have no inverse."""


class FitError(RuntimeError):
    """The minimiser found no valid minimum."""


@dataclass(frozen=True, eq=False)
class Fit:
    """One minimum of the negative log-likelihood."""

    names: tuple[str, ...]
    values: Floats
    """Parameters at the minimum, shape (n_parameters,), in the order of `names`."""
    value: float
    """Negative log-likelihood there."""
    valid: bool
    edm: float
    """Minuit's estimated distance to the minimum."""
    n_calls: int

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.names.index(name)])


class _Restricted:
    """A likelihood as a function of its free parameters, the others held at their values.

    Minuit can hold parameters too, but then takes the first rows of the matrix of second
    derivatives for those of the free parameters (seen with iminuit 2.33), and strays.
    """

    def __init__(self, likelihood: Likelihood, free: Integers) -> None:
        self.likelihood, self.free = likelihood, free
        self.values = likelihood.model.start()
        names = tuple(likelihood.model.names[k] for k in free)
        self.minuit = Minuit(
            self.value,
            self.values[free],
            grad=self.gradient,
            hessian=self.information,
            name=names,
        )
        self.minuit.errordef = Minuit.LIKELIHOOD
        self.minuit.strategy = 0
        self.minuit.tol = TOLERANCE

    def _all(self, free_values: Floats) -> Floats:
        self.values[self.free] = free_values
        return self.values

    def value(self, free_values: Floats) -> float:
        return self.likelihood.value(self._all(free_values))

    def gradient(self, free_values: Floats) -> Floats:
        return self.likelihood.gradient(self._all(free_values))[self.free]

    def information(self, free_values: Floats) -> Floats:
        return self.likelihood.information(self._all(free_values))[np.ix_(self.free, self.free)]


class Minimiser:
    """Minuit on one likelihood; each fit starts where the last one ended."""

    def __init__(self, likelihood: Likelihood, frozen: Mapping[str, float] | None = None) -> None:
        """`frozen` parameters stay at the given values in every fit."""
        self.likelihood = likelihood
        self.names = likelihood.model.names
        self.start = likelihood.model.start()
        self.frozen = dict(frozen or {})
        self.n_calls = 0
        self._restricted: dict[frozenset[str], _Restricted] = {}

    def fit(self, fixed: Mapping[str, float] | None = None, start: Floats | None = None) -> Fit:
        """The minimum with the parameters in `fixed` held at their values.

        Where Minuit gives up it is tried once more from where it stopped, and once from the
        model's own start. The result says whether it is valid.
        """
        held = {**self.frozen, **(fixed or {})}
        restricted = self._restricted.get(frozenset(held))
        if restricted is None:
            free = [k for k, name in enumerate(self.names) if name not in held]
            if not free:
                values = np.array([held[name] for name in self.names])
                return Fit(self.names, values, self.likelihood.value(values), True, 0.0, 1)
            restricted = _Restricted(self.likelihood, np.array(free, dtype=np.int64))
            self._restricted[frozenset(held)] = restricted
        minuit = restricted.minuit
        origin = self.start if start is None else start
        for attempt in range(3):
            if attempt == 2:
                origin = self.likelihood.model.start()
            restricted.values = origin.copy()
            for name, value in held.items():
                restricted.values[self.names.index(name)] = value
            minuit.reset()
            minuit.values = restricted.values[restricted.free]
            minuit.migrad(ncall=MOST_CALLS)
            self.n_calls += int(minuit.nfcn)
            origin = restricted.values.copy()
            origin[restricted.free] = np.array(minuit.values)
            valid = bool(minuit.valid) or 0 <= float(minuit.fmin.edm) < CLOSE_ENOUGH
            if valid:
                break
        self.start = origin
        return Fit(
            self.names,
            origin.copy(),
            float(minuit.fval),
            valid,
            float(minuit.fmin.edm),
            int(minuit.nfcn),
        )


def covariance(likelihood: Likelihood, values: Floats, held: Mapping[str, float]) -> Floats:
    """Covariance of all parameters at a minimum, shape (n, n); zero for those `held`.

    Inverse of the second derivatives of the negative log-likelihood, taken as central differences
    of its analytic gradient. Where these have no inverse (a category without events says nothing
    of its background's shape) Fisher's information takes their place, with an uncertainty of 1000
    for what it does not determine.
    """
    names = likelihood.model.names
    free = np.array([k for k, name in enumerate(names) if name not in held], dtype=np.int64)
    information = likelihood.information(values)[np.ix_(free, free)]
    information += np.eye(len(free)) / UNDETERMINED**2
    steps = GRADIENT_STEP / np.sqrt(np.diag(information))
    hessian = np.empty_like(information)
    for row, (k, step) in enumerate(zip(free, steps, strict=True)):
        moved = np.zeros(len(values))
        moved[k] = step
        difference = likelihood.gradient(values + moved) - likelihood.gradient(values - moved)
        hessian[row] = difference[free] / (2 * step)
    unit = np.sqrt(np.diag(information))
    scaled = (hessian + hessian.T) / 2 / np.outer(unit, unit)
    if np.linalg.eigvalsh(scaled)[0] < SMALLEST_EIGENVALUE:
        scaled = information / np.outer(unit, unit)
    result = np.zeros((len(values), len(values)))
    result[np.ix_(free, free)] = np.linalg.inv(scaled) / np.outer(unit, unit)
    return result
