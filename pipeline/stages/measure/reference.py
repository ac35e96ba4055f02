"""Reference solution of measure: the readable composition of the fit in pipeline.physics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from pipeline.physics.arrays import Floats, finite_pair, floats
from pipeline.physics.background import Template
from pipeline.physics.fit import covariance
from pipeline.physics.goodness import chi_square
from pipeline.physics.impacts import ErrorBudget, error_budget, impacts
from pipeline.physics.likelihood import Likelihood, Observation
from pipeline.physics.model import MU, Category, Model, Uncertainties
from pipeline.physics.profile import NINETY_FIVE, Profile, expected_significance
from pipeline.physics.regions import Range, bin_edges, bins_inside
from pipeline.physics.signal import DoubleCrystalBall, fit_shape
from pipeline.physics.spurious import Candidate, Choice, Spectrum, choose_background, fit_background
from pipeline.physics.weights import weighted_histogram, weighted_yield

SCAN_POINTS = 41
SCAN_WIDTH = 3.0
"""Half of the scanned range, in errors of mu."""
CURVE_STEP = 0.25
"""GeV between the points of the fitted curves."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """The fit before it is fitted."""

    model: Model
    observation: Observation
    choices: tuple[Choice | None, ...]
    """Per category: how the background function was chosen; None for a template."""


def measure(categories: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> dict[str, Any]:
    """Signal strength, cross-section and all that a report shows of the fit."""
    with threadpool_limits(limits=1):  # sums over threads differ in the last bits
        prepared = prepare(categories, model)
        return _result(prepared, model)


def prepare(categories: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> Prepared:
    """Signal shapes, background functions and data of all categories, joined into one model.

    ValueError if no category expects signal: its strength could be anything.
    """
    interval: Range = (model["fit_range"][0], model["fit_range"][1])
    mass, weight = (
        np.concatenate([floats(category["signal"][key]) for category in categories])
        for key in ("mass", "weight")
    )
    common = fit_shape(mass, weight, interval, model["signal_mass"])
    built = [_category(category, model, interval, common) for category in categories]
    if not any(category.signal_yield > 0 for category, _, _ in built):
        raise ValueError(
            "expected signal in one category or more, found "
            f"{[category.signal_yield for category, _, _ in built]!r} events; look at the "
            "normalisation of the signal samples"
        )
    shape = model["shape_uncertainties"]
    uncertainties = Uncertainties(
        model["luminosity_uncertainty"],
        shape["scale"],
        shape["resolution"],
        model["background_uncertainty"],
    )
    joined = Model([category for category, _, _ in built], uncertainties)
    counts = np.concatenate([counts for _, counts, _ in built])
    observation = Observation(counts, np.zeros(len(joined.constrained)))
    return Prepared(joined, observation, tuple(choice for _, _, choice in built))


def _category(
    given: Mapping[str, Any], model: Mapping[str, Any], interval: Range, common: DoubleCrystalBall
) -> tuple[Category, Floats, Choice | None]:
    edges, counts = _counts(given["data"], interval, model["bin_width"])
    mass, weight = finite_pair(given["signal"]["mass"], given["signal"]["weight"])
    kept = (mass >= interval[0]) & (mass <= interval[1])
    expected = weighted_yield(weight[kept])
    signal_yield = max(expected.events, 0.0)
    signal = fit_shape(mass, weight, interval, model["signal_mass"], fallback=common)
    mass, weight = finite_pair(given["background"]["mass"], given["background"]["weight"])
    category = Category(
        name=given["name"],
        edges=edges,
        signal_yield=signal_yield,
        signal=signal,
        background=Template(np.full(len(counts), 1 / len(counts))),
        background_yield=0.0,
        signal_error=expected.error / expected.events if signal_yield > 0 else 0.0,
    )
    if model["background"] == "template":
        total = float(weighted_histogram(mass, weight, edges)[0].sum())
        shape = Template.from_events(mass, weight, edges)
        return replace(category, background=shape, background_yield=total), counts, None
    template, variance = weighted_histogram(mass, weight, edges)
    sideband = bins_inside(edges, model["sidebands"])
    known = np.histogram(floats(given["sidebands"]), edges)[0] if "sidebands" in given else counts
    spectrum = Spectrum(edges, known * sideband.astype(float), sideband, template, variance)
    window = (model["signal_window"][0], model["signal_window"][1])
    choice = choose_background(spectrum, signal, signal_yield, window)
    fitted, _ = fit_background(spectrum, choice.chosen.family)
    chosen = replace(
        category,
        background=fitted.background,
        background_yield=max(fitted.background_yield, 1.0),
        shape=fitted.shape,
        spurious=choice.spurious,
    )
    return chosen, counts, choice


def _counts(
    data: Sequence[float] | Floats | Mapping[str, Any], interval: Range, width: float
) -> tuple[Floats, Floats]:
    """Bin edges and events per bin, from masses or from what is already binned."""
    if isinstance(data, Mapping):
        return floats(data["bins"]), floats(data["counts"])
    edges = bin_edges(interval, width)
    masses, _ = finite_pair(data)
    return edges, np.histogram(masses, edges)[0].astype(np.float64)


def _result(prepared: Prepared, model: Mapping[str, Any]) -> dict[str, Any]:
    likelihood = Likelihood(prepared.model, prepared.observation)
    profile = Profile(likelihood)
    best = profile.best
    mu = best[MU]
    budget = error_budget(profile)
    matrix = covariance(likelihood, best.values, {})
    errors = np.sqrt(np.diag(matrix))
    cross_section = model["sm_cross_section_pb"]
    return {
        "mu": mu,
        "mu_err": list(budget.total),
        "mu_interval_95": list(profile.interval(NINETY_FIVE)),
        "significance": {
            "expected": expected_significance(profile),
            "observed": profile.significance(),
        },
        "cross_section_pb": mu * cross_section,
        "cross_section_err_pb": {
            "stat": [error * cross_section for error in budget.statistical],
            "syst": [error * cross_section for error in budget.systematic],
            "lumi": (budget.luminosity[1] - budget.luminosity[0]) / 2 * cross_section,
        },
        "nuisances": _nuisances(profile, errors),
        "correlation": {
            "names": list(best.names),
            "matrix": (matrix / np.outer(errors, errors)).tolist(),
        },
        "profile": _scan(profile, budget),
        "categories": [
            _fitted_category(prepared, k, profile, model) for k in range(len(prepared.choices))
        ],
        "minimiser": {
            "valid": best.valid,
            "edm": best.edm,
            "n_calls": profile.minimiser.n_calls,
        },
    }


def _nuisances(profile: Profile, errors: Floats) -> list[dict[str, Any]]:
    """Constrained parameters in standard deviations, with the shift of mu that each can make."""
    best, index = profile.best, profile.likelihood.model.index
    names = profile.likelihood.model.constrained
    shifts = impacts(profile, {name: float(errors[index[name]]) for name in names})
    return [
        {
            "name": name,
            "value": best[name],
            "error": float(errors[index[name]]),
            "pull": best[name],
            "impact": list(shifts[name]),
        }
        for name in names
    ]


def _scan(profile: Profile, budget: ErrorBudget) -> dict[str, list[float]]:
    """The profile likelihood around the best mu, with all uncertainties and without nuisances."""
    best = profile.best
    low, high = (best[MU] + SCAN_WIDTH * error for error in budget.total)
    half = SCAN_POINTS // 2
    points = np.concatenate(
        [np.linspace(low, best[MU], half, endpoint=False), np.linspace(best[MU], high, half + 1)]
    )
    nuisances = {name: best[name] for name in profile.likelihood.model.constrained}
    fixed = Profile(profile.likelihood, frozen=nuisances)
    return {
        "mu": points.tolist(),
        "two_delta_nll": np.maximum(profile.scan(points), 0.0).tolist(),
        "two_delta_nll_stat": np.maximum(fixed.scan(points), 0.0).tolist(),
    }


def _fitted_category(
    prepared: Prepared, k: int, profile: Profile, model: Mapping[str, Any]
) -> dict[str, Any]:
    fit, best, choice = prepared.model, profile.best, prepared.choices[k]
    category, where = fit.categories[k], fit.slices[k]
    counts = prepared.observation.counts[where]
    expected = fit.expected(best.values)[where]
    background = fit.background(best.values)[where]
    edges = category.edges
    window = (model["signal_window"][0], model["signal_window"][1])
    in_window = bins_inside(edges, [window])
    expected_signal = category.signal_yield * (
        category.signal.fraction(window) / category.signal.fraction(category.interval)
    )
    in_peak = float(background[in_window].sum())
    shape = [f"a{j}" for j in range(1, category.background.n_parameters + 1)]
    goodness = chi_square(counts, expected, len(shape) + 1 if shape else 0)
    return {
        "name": category.name,
        "function": choice.chosen.family.name if choice else "template",
        "candidates": [_candidate(each) for each in choice.candidates] if choice else [],
        "parameters": {name: best[f"{name}:{category.name}"] for name in shape},
        "signal_yield": category.signal_yield,
        "background_yield": float(background.sum()),
        "spurious_signal": category.spurious,
        "signal_shape": asdict(category.signal),
        "purity_weight": math.log1p(expected_signal / in_peak) if in_peak > 0 else 0.0,
        "chi2": goodness.chi2,
        "ndf": goodness.ndf,
        "curve": _curve(prepared, k, best.values),
    }


def _curve(prepared: Prepared, k: int, values: Floats) -> dict[str, list[float]]:
    """The fitted densities in events per GeV."""
    edges = prepared.model.categories[k].edges
    mass = np.linspace(edges[0], edges[-1], round((edges[-1] - edges[0]) / CURVE_STEP) + 1)
    background, total = prepared.model.blocks[k].densities(mass, values)
    return {"mass": mass.tolist(), "background": background.tolist(), "total": total.tolist()}


def _candidate(tried: Candidate) -> dict[str, Any]:
    return {
        "function": tried.family.name,
        "n_parameters": tried.family.n_parameters,
        "chi2": tried.sideband.chi2,
        "ndf": tried.sideband.ndf,
        "chi2_probability": tried.sideband.probability,
        "spurious_signal": tried.spurious_signal,
        "spurious_template_error": tried.template_error,
        "spurious_tolerance": tried.tolerance,
        "accepted": tried.accepted,
    }
