"""The profile likelihood of mu, and what the fit did to the nuisance parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.report.numbers.binned import Array

LEVELS = {"68 %": 1.0, "95 %": 3.841458820694124}
"""Two-sided confidence levels and the rise of twice the negative log-likelihood (chi2, 1 dof)."""


@dataclass(frozen=True)
class Profile:
    """Rise of -2 ln L over its minimum against mu, with all and with only statistical errors."""

    mu: Array
    total: Array
    statistical: Array | None
    best: float
    error: tuple[float | None, float | None]
    interval_95: tuple[float | None, float | None] | None

    def columns(self) -> dict[str, list[Any]]:
        """One row per scanned mu, for a CSV file."""
        found = {"mu": self.mu.tolist(), "two_delta_nll": self.total.tolist()}
        if self.statistical is not None:
            found["two_delta_nll_statistical"] = self.statistical.tolist()
        return found


@dataclass(frozen=True)
class Nuisance:
    """A constrained parameter after the fit, in units of the error that it had before."""

    name: str
    pull: float
    error: float
    impact: tuple[float, float] | None = None
    """Shift of mu when the parameter is moved by its error down and up."""

    @property
    def size(self) -> float:
        """The larger of its two shifts of mu; 0 if they are not known."""
        return max(map(abs, self.impact)) if self.impact else 0.0


@dataclass(frozen=True)
class Correlation:
    """Correlation coefficients of the fitted parameters; matrix of shape (n, n)."""

    names: tuple[str, ...]
    matrix: Array

    def columns(self) -> dict[str, list[Any]]:
        """One row per parameter, one column per parameter."""
        columns: dict[str, list[Any]] = {"parameter": list(self.names)}
        for i, name in enumerate(self.names):
            columns[name] = self.matrix[:, i].tolist()
        return columns


def profile(measurement: Mapping[str, Any]) -> Profile | None:
    """The scan of `measurement.json`; None if the fit kept none."""
    scan = measurement.get("profile")
    if not scan or len(scan["mu"]) < 2:
        return None
    statistical = scan.get("two_delta_nll_stat")
    low, high = measurement["mu_err"]
    interval = measurement.get("mu_interval_95")
    return Profile(
        mu=np.asarray(scan["mu"], float),
        total=np.asarray(scan["two_delta_nll"], float),
        statistical=np.asarray(statistical, float) if statistical else None,
        best=float(measurement["mu"]),
        error=(low, high),
        interval_95=(interval[0], interval[1]) if interval else None,
    )


def nuisances(measurement: Mapping[str, Any]) -> tuple[Nuisance, ...]:
    """The constrained parameters, the largest impact first; free ones have no pull: left out."""
    found = [
        Nuisance(
            str(n["name"]),
            float(n["pull"]),
            float(n["error"]),
            (float(n["impact"][0]), float(n["impact"][1])) if n.get("impact") else None,
        )
        for n in measurement.get("nuisances", ())
        if n["pull"] is not None
    ]
    return tuple(sorted(found, key=lambda nuisance: -nuisance.size))


PARTS = {
    "mc": "simulation statistics",
    "spurious": "spurious signal",
    "yield": "background yield",
}


def parameter_name(name: str) -> str:
    """What a parameter of the fit means: `mc:category 1` and `mu` are written out."""
    if name == "mu":
        return "μ"
    part, colon, category = name.partition(":")
    if not colon:
        return name.replace("_", " ")
    return f"{PARTS.get(part, f'shape {part}')}, {category}"


def nuisance_columns(parameters: tuple[Nuisance, ...]) -> dict[str, list[Any]]:
    """One row per parameter, for a CSV file."""
    return {
        "name": [n.name for n in parameters],
        "pull": [n.pull for n in parameters],
        "error": [n.error for n in parameters],
        "impact_down": [n.impact[0] if n.impact else None for n in parameters],
        "impact_up": [n.impact[1] if n.impact else None for n in parameters],
    }


def correlation(measurement: Mapping[str, Any]) -> Correlation | None:
    """The correlation matrix of `measurement.json`; None if there are not two parameters."""
    found = measurement.get("correlation")
    if not found or len(found["names"]) < 2:
        return None
    return Correlation(tuple(map(str, found["names"])), np.asarray(found["matrix"], float))
