"""The profile likelihood of the signal strength: intervals, scans and significances."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from pipeline.physics.arrays import Floats, floats
from pipeline.physics.fit import Fit, FitError, Minimiser
from pipeline.physics.likelihood import Likelihood, Observation
from pipeline.physics.model import MU, Model

ONE_SIGMA = 1.0
"""Rise of -2 ln L that bounds the 68.3 % interval of one parameter (Wilks)."""
NINETY_FIVE = 3.841458820694124
"""The same for 95 %: the quantile of chi-square with one degree of freedom."""
MOST_EXPANSIONS = 40
RELATIVE_PRECISION = 5e-4
"""Precision of an interval's ends, in units of the distance to the best value."""


class Profile:
    """-2 ln of the profile likelihood ratio as a function of mu.

    `frozen` parameters stay fixed in every fit, so that their uncertainty is left out. The first
    fit starts at `start`, or where the model says.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        frozen: Mapping[str, float] | None = None,
        start: Floats | None = None,
    ) -> None:
        self.likelihood = likelihood
        self.minimiser = Minimiser(likelihood, frozen)
        if start is not None:
            self.minimiser.start = start.copy()

    @cached_property
    def best(self) -> Fit:
        """The fit with mu free; FitError if Minuit finds no valid minimum."""
        best = self.minimiser.fit()
        if not best.valid:
            raise FitError(
                f"expected a valid minimum, found none after {self.minimiser.n_calls} calls "
                f"(estimated distance {best.edm!r}); look for a category without events"
            )
        return best

    def at(self, mu: float) -> Fit:
        """The fit with mu held; it starts where the last one ended."""
        fit = self.minimiser.fit({MU: mu})
        return fit if fit.valid else self.minimiser.fit({MU: mu}, start=self.best.values)

    def two_delta(self, mu: float) -> float:
        """-2 ln λ(mu), zero at the best value."""
        return 2 * (self.at(mu).value - self.best.value)

    @cached_property
    def mu_error(self) -> float:
        """Error of mu from the curvature at the minimum; the scale of every search here."""
        free = [k for k, name in enumerate(self.best.names) if name not in self.minimiser.frozen]
        matrix = self.likelihood.information(self.best.values)[np.ix_(free, free)]
        if len(free) == 1:
            return float(1 / np.sqrt(matrix[0, 0])) if matrix[0, 0] > 0 else 1.0
        unit = np.sqrt(np.maximum(np.diag(matrix), 1e-12))
        inverse = np.linalg.pinv(matrix / np.outer(unit, unit), hermitian=True)
        variance = float(inverse[0, 0] / unit[0] ** 2)
        return math.sqrt(variance) if variance > 0 else 1.0

    def interval(self, rise: float = ONE_SIGMA) -> tuple[float, float]:
        """Where -2 ln λ has risen by `rise`, below and above the best value.

        Roots of √(-2 ln λ), which is nearly straight. FitError if it never rises that far.
        """
        return self._crossing(rise, -1), self._crossing(rise, +1)

    def _crossing(self, rise: float, side: int) -> float:
        best, root = self.best[MU], math.sqrt(rise)
        self.minimiser.start = self.best.values.copy()

        @cache  # a second fit at one mu may differ in the last digits, which brentq would resent
        def excess(distance: float) -> float:
            return math.sqrt(max(self.two_delta(best + side * distance), 0.0)) - root

        inner, at_inner, outer = 0.0, -root, root * self.mu_error
        for _ in range(MOST_EXPANSIONS):
            at_outer = excess(outer)
            if at_outer >= 0:
                break
            # A straight line's guess for the crossing, a little beyond, at most doubling.
            slope = (at_outer - at_inner) / (outer - inner)
            inner, at_inner = outer, at_outer
            step = 1.05 * -at_outer / slope if slope > 0 else outer
            outer += min(max(step, 1e-3 * outer), outer)
        else:
            raise FitError(
                f"expected -2 ln λ to rise by {rise!r} on side {side:+d} of mu = {best!r}, found "
                f"{at_outer + root!r} (its root) at {best + side * outer!r}"
            )
        if at_outer == 0:
            return best + side * outer
        distance = brentq(excess, inner, outer, rtol=RELATIVE_PRECISION, xtol=1e-9)
        return best + side * float(distance)

    def scan(self, mu: ArrayLike) -> Floats:
        """-2 ln λ at each mu, shape (n,): outwards from the best value on either side."""
        points = floats(mu)
        result = np.empty(len(points))
        order = np.argsort(np.abs(points - self.best[MU]), kind="stable")
        for below in (True, False):
            self.minimiser.start = self.best.values.copy()
            for k in order[(points[order] < self.best[MU]) == below]:
                result[k] = self.two_delta(float(points[k]))
        return result

    def significance(self) -> float:
        """Discovery significance √q₀, with q₀ = 0 where the best mu is negative.

        arXiv 1007.1727, eq. 12.
        """
        if self.best[MU] <= 0:
            return 0.0
        return math.sqrt(max(self.two_delta(0.0), 0.0))


def asimov(model: Model, values: Floats) -> Observation:
    """The data that exactly meet the expectation at `values`, auxiliary measurements included."""
    places = [model.index[name] for name in model.constrained]
    return Observation(model.expected(values), values[places].copy())


def expected_significance(profile: Profile, mu: float = 1.0) -> float:
    """Median discovery significance for `mu`, from Asimov data.

    The other parameters take the values that the data at hand prefer for that `mu`
    (arXiv 1007.1727, section 5).
    """
    model = profile.likelihood.model
    values = profile.minimiser.fit({MU: mu}, start=profile.best.values).values
    likelihood = Likelihood(model, asimov(model, values))
    background_only = Minimiser(likelihood).fit({MU: 0.0}, start=values)
    return math.sqrt(max(2 * (background_only.value - likelihood.value(values)), 0.0))
