"""Maximum-likelihood fits with iminuit: best values, and the covariance of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from iminuit import Minuit

from pipeline.physics.arrays import Floats
from pipeline.physics.likelihood import Likelihood

TOLERANCE = 0.01
"""Minuit's tolerance: the estimated distance to the minimum is then below 1e-5 in the
log-likelihood, small against the 0.5 of one standard deviation."""
MOST_CALLS = 5000
GRADIENT_STEP = 1e-3
"""Step of the second derivatives, in standard deviations."""


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


class Minimiser:
    """Minuit on one likelihood; each fit starts where the last one ended."""

    def __init__(self, likelihood: Likelihood, frozen: Mapping[str, float] | None = None) -> None:
        """`frozen` parameters stay at the given values in every fit."""
        self.likelihood = likelihood
        self.names = likelihood.model.names
        self.start = likelihood.model.start()
        self.frozen = dict(frozen or {})
        self.n_calls = 0
        self._minuit = Minuit(
            likelihood.value,
            self.start,
            grad=likelihood.gradient,
            hessian=likelihood.information,
            name=self.names,
        )
        self._minuit.errordef = Minuit.LIKELIHOOD
        self._minuit.strategy = 0
        self._minuit.tol = TOLERANCE
        self._minuit.print_level = 0

    def fit(self, fixed: Mapping[str, float] | None = None, start: Floats | None = None) -> Fit:
        """The minimum with the parameters in `fixed` held at their values.

        From a bad start Minuit may give up: it is then tried once more from where it stopped, and
        once from the model's own start. The result says whether it is valid.
        """
        held = {**self.frozen, **(fixed or {})}
        for attempt in range(3):
            origin = self.start if start is None and attempt < 2 else start
            if attempt == 2 or origin is None:
                origin = self.likelihood.model.start()
            minuit = self._minuit
            minuit.reset()
            minuit.values = origin
            for name in self.names:
                minuit.fixed[name] = name in held
            for name, value in held.items():
                minuit.values[name] = value
            minuit.migrad(ncall=MOST_CALLS)
            self.n_calls += int(minuit.nfcn)
            self.start, start = np.array(minuit.values, dtype=np.float64), None
            if minuit.valid:
                break
        return Fit(
            self.names,
            self.start.copy(),
            float(minuit.fval),
            bool(minuit.valid),
            float(minuit.fmin.edm),
            int(minuit.nfcn),
        )


def covariance(likelihood: Likelihood, values: Floats, held: Mapping[str, float]) -> Floats:
    """Covariance of all parameters at a minimum, shape (n, n); zero for those `held`.

    Inverse of the matrix of second derivatives of the negative log-likelihood, which are central
    differences of its analytic gradient. FitError where that matrix is not positive.
    """
    names = likelihood.model.names
    free = np.array([k for k, name in enumerate(names) if name not in held], dtype=int)
    information = np.diag(likelihood.information(values))[free]
    steps = GRADIENT_STEP / np.sqrt(np.maximum(information, 1e-12))
    hessian = np.empty((len(free), len(free)))
    for row, (k, step) in enumerate(zip(free, steps, strict=True)):
        moved = np.zeros(len(values))
        moved[k] = step
        difference = likelihood.gradient(values + moved) - likelihood.gradient(values - moved)
        hessian[row] = difference[free] / (2 * step)
    hessian = (hessian + hessian.T) / 2
    unit = np.sqrt(np.maximum(np.diag(hessian), 1e-12))
    scaled = hessian / np.outer(unit, unit)
    lowest = float(np.linalg.eigvalsh(scaled)[0])
    if lowest <= 0:
        raise FitError(
            "expected a minimum, found a direction in which the likelihood falls (lowest "
            f"eigenvalue {lowest!r}) among {len(free)} parameters; a category with too few events "
            "for its background function does this"
        )
    result = np.zeros((len(values), len(values)))
    result[np.ix_(free, free)] = np.linalg.inv(scaled) / np.outer(unit, unit)
    return result
