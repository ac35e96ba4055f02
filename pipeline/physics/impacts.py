"""Where the uncertainty of the signal strength comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.physics.fit import Minimiser
from pipeline.physics.model import MU
from pipeline.physics.profile import Profile


@dataclass(frozen=True)
class ErrorBudget:
    """Errors of mu below (negative) and above, by source; they add in quadrature to the total."""

    total: tuple[float, float]
    statistical: tuple[float, float]
    """With all nuisance parameters fixed; background functions still float."""
    systematic: tuple[float, float]
    """Everything that is neither statistics nor luminosity."""
    luminosity: tuple[float, float]


def error_budget(profile: Profile) -> ErrorBudget:
    """Error budget by fixing nuisances at their best values and taking differences in quadrature.

    Luminosity comes off first, then every other constrained parameter.
    """
    best = profile.best
    nuisances = {name: best[name] for name in profile.likelihood.model.constrained}
    luminosity = {name: value for name, value in nuisances.items() if name == "luminosity"}
    total = _errors(profile)
    without = _errors(Profile(profile.likelihood, luminosity, best.values)) if luminosity else total
    statistical = (
        _errors(Profile(profile.likelihood, nuisances, best.values)) if nuisances else total
    )
    return ErrorBudget(
        total=total,
        statistical=statistical,
        systematic=_difference(without, statistical),
        luminosity=_difference(total, without),
    )


def impacts(profile: Profile, errors: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Shift of mu when each nuisance is moved by its error down and up, everything else refitted.

    `errors` maps constrained parameters to their fitted errors.
    """
    best = profile.best
    minimiser = Minimiser(profile.likelihood)
    shifts: dict[str, tuple[float, float]] = {}
    for name, error in errors.items():
        moved = [
            minimiser.fit({name: best[name] + side * error}, start=best.values)[MU] - best[MU]
            for side in (-1, 1)
        ]
        shifts[name] = (moved[0], moved[1])
    return shifts


def _errors(profile: Profile) -> tuple[float, float]:
    low, high = profile.interval()
    return low - profile.best[MU], high - profile.best[MU]


def _difference(larger: tuple[float, float], smaller: tuple[float, float]) -> tuple[float, float]:
    """Quadratic difference on either side; zero where rounding makes it negative."""
    below, above = (
        math.sqrt(max(a * a - b * b, 0.0)) for a, b in zip(larger, smaller, strict=True)
    )
    return -below, above
