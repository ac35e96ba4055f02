"""Mass spectra of data with the fitted curves: per category, their sum, and their weighted sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import hist
import numpy as np

from pipeline.report.numbers.binned import (
    Array,
    Binned,
    bin_averages,
    count,
    edges_between,
    histogram,
    weigh,
)


@dataclass(frozen=True)
class FitCurve:
    """Fitted densities over the mass in GeV, in events (or weights) per GeV; shapes (n,)."""

    mass: Array
    background: Array
    total: Array

    def scaled(self, factor: float) -> FitCurve:
        return FitCurve(self.mass, factor * self.background, factor * self.total)


@dataclass(frozen=True)
class Fit:
    """A fitted curve beside data: its contents of each bin, and how data differ; shapes (n,)."""

    curve: FitCurve
    background: Array
    total: Array
    residual: Array
    """Data minus fitted background."""
    pull: Array
    """(data - fit) over the error bar that points to the fit; NaN where that has no length."""
    chi2: float | None
    ndf: float | None

    def inside(self, low: float, high: float) -> tuple[float, float]:
        """Fitted (signal, background) events between two masses in GeV."""
        edges = np.array([low, high])
        background, total = (
            float(bin_averages(self.curve.mass, density, edges)[0]) * (high - low)
            for density in (self.curve.background, self.curve.total)
        )
        return total - background, background


@dataclass(frozen=True)
class Spectrum:
    """Data in bins of mass with the fit, where there is one."""

    title: str
    data: Binned
    fit: Fit | None
    hidden: tuple[float, float] | None
    """Range in GeV whose data are blinded and not shown."""
    purity_weight: float | None = None

    @property
    def width(self) -> float:
        """Width of the bins in GeV."""
        return float(self.data.widths[0])

    @property
    def events(self) -> float:
        return float(self.data.values.sum())

    def columns(self) -> dict[str, list[Any]]:
        """One row per bin, for a CSV file."""
        data = self.data
        found: dict[str, Array] = {
            "low_gev": data.edges[:-1],
            "high_gev": data.edges[1:],
            "data": data.values,
            "data_error_low": data.low,
            "data_error_high": data.high,
        }
        if self.fit is not None:
            found |= {
                "fit_background": self.fit.background,
                "fit_total": self.fit.total,
                "pull": self.fit.pull,
            }
        columns: dict[str, list[Any]] = {"category": [self.title] * len(data.values)}
        return columns | {name: values.tolist() for name, values in found.items()}

    def histograms(self, axis: str, prefix: str = "") -> dict[str, hist.Hist[Any]]:
        """Data and fit as histograms, by name."""
        label = f"{axis} [GeV]"
        found = {f"{prefix}data": self.data.histogram(axis, label)}
        if self.fit is not None:
            for name in ("background", "total"):
                values = getattr(self.fit, name)
                found[f"{prefix}fit_{name}"] = histogram(self.data.edges, values, axis, label)
        return found


def spectrum(
    title: str,
    data: Binned,
    curve: FitCurve | None,
    hidden: tuple[float, float] | None = None,
    category: Mapping[str, Any] | None = None,
) -> Spectrum:
    """A spectrum beside its fit; `category` is the entry of `measurement.json`, if there is one."""
    category = category or {}
    fit = None
    if curve is not None:
        background, total = (
            bin_averages(curve.mass, density, data.edges) * data.widths
            for density in (curve.background, curve.total)
        )
        difference = data.values - total
        error = np.where(difference > 0, data.low, data.high)
        pull = np.divide(difference, error, out=np.full_like(error, np.nan), where=error > 0)
        fit = Fit(
            curve, background, total, data.values - background, pull,
            category.get("chi2"), category.get("ndf"),
        )  # fmt: skip
    return Spectrum(title, data, fit, hidden, category.get("purity_weight"))


@dataclass(frozen=True)
class Spectra:
    """The spectrum of all selected events, of each category, and the weighted sum of these."""

    inclusive: Spectrum
    categories: tuple[Spectrum, ...]
    weighted: Spectrum | None


def spectra(
    masses: Sequence[Array],
    titles: Sequence[str],
    fits: Sequence[Mapping[str, Any]],
    fit_range: tuple[float, float],
    widths: tuple[float, float],
    hidden: tuple[float, float] | None = None,
) -> Spectra:
    """The spectra of data split into categories.

    `masses`: one array of masses in GeV per category; `fits`: the fit's category of the same place
    (empty if there is no fit); `widths`: bins of the sum and of a single category, in GeV.
    The weighted sum gives every event ln(1 + s/b) of its category
    (as ATLAS does, arXiv:1802.04146).
    """
    fine, coarse = (edges_between(*fit_range, width) for width in widths)
    curves = [_curve(fit) for fit in fits]
    whole = spectrum("all events", count(np.concatenate(masses), fine), _sum(curves), hidden)
    if len(masses) < 2:
        only = fits[0] if fits else None
        return Spectra(spectrum(whole.title, whole.data, _sum(curves), hidden, only), (), None)
    parts = tuple(
        spectrum(title, count(mass, coarse), curve, hidden, fit)
        for title, mass, (curve, fit) in zip(
            titles, masses, _paired(curves, fits, len(masses)), strict=True
        )
    )
    return Spectra(whole, parts, _weighted(masses, fits, curves, fine, hidden))


def _paired(
    curves: Sequence[FitCurve], fits: Sequence[Mapping[str, Any]], number: int
) -> list[tuple[FitCurve | None, Mapping[str, Any] | None]]:
    """Curve and fit of each category; nothing for each where there is no fit."""
    return list(zip(curves, fits, strict=True)) if curves else [(None, None)] * number


def _curve(fit: Mapping[str, Any]) -> FitCurve:
    curve = fit["curve"]
    return FitCurve(*(np.asarray(curve[key], float) for key in ("mass", "background", "total")))


def _sum(curves: Sequence[FitCurve]) -> FitCurve | None:
    """The sum of curves on the grid of the first."""
    if not curves:
        return None
    grid = curves[0].mass
    return FitCurve(
        grid,
        np.sum([np.interp(grid, c.mass, c.background) for c in curves], axis=0),
        np.sum([np.interp(grid, c.mass, c.total) for c in curves], axis=0),
    )


def _weighted(
    masses: Sequence[Array],
    fits: Sequence[Mapping[str, Any]],
    curves: Sequence[FitCurve],
    edges: Array,
    hidden: tuple[float, float] | None,
) -> Spectrum | None:
    if not fits:
        return None
    weights = [float(fit["purity_weight"]) for fit in fits]
    data = weigh(
        np.concatenate(masses),
        np.concatenate([np.full(len(m), w) for m, w in zip(masses, weights, strict=True)]),
        edges,
    )
    total = _sum([c.scaled(w) for c, w in zip(curves, weights, strict=True)])
    return spectrum("weighted sum", data, total, hidden)
