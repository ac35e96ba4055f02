"""What the stage measure would say of the test tables: the true curves, and a parabola."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.pipeline.report.event_tables import (
    HIGH,
    LOW,
    PEAK,
    SLOPE,
    WIDTH,
    Tables,
    in_category,
)

GRID = np.linspace(LOW, HIGH, 221)
"""GeV: where the curves are given."""


def gaussian(peak: float, width: float) -> np.ndarray:
    """A Gaussian of unit area on GRID."""
    return np.exp(-0.5 * ((GRID - peak) / width) ** 2) / (width * np.sqrt(2 * np.pi))


def diphoton_fit(tables: Tables, names: list[str], mu: float = 1.04) -> dict[str, Any]:
    """`measurement.json` of the diphoton tables."""
    background = np.exp(-(GRID - LOW) * SLOPE) * SLOPE / (1 - np.exp(-(HIGH - LOW) * SLOPE))
    parts = []
    for i, name in enumerate(names):
        s = mu * float(tables["signal"]["weight"][in_category(tables["signal"], i)].sum())
        b = float(in_category(tables["data"], i).sum()) - s
        part = _category(name, "exponential", s, b, b * background, s * gaussian(PEAK, WIDTH))
        part["chi2"] = 24.1 + i
        part["candidates"] = [_candidate("exponential", 1, 2.5), _candidate("power law", 2, 9.9)]
        parts.append(part)
    free = [f"yield:{name}" for name in names]
    constrained = ["luminosity", "scale", "resolution", *(f"spurious:{name}" for name in names)]
    return _fit(parts, mu, 0.21, constrained, free)


def four_lepton_fit() -> dict[str, Any]:
    """`measurement.json` of the four-lepton tables."""
    flat = np.full(len(GRID), 0.16)
    part = _category("inclusive", "template", 11.0, 8.8, flat, 11 * gaussian(124.7, 2.0))
    return _fit([part], 1.1, 0.45, ["luminosity", "scale", "background"], [])


def _category(
    name: str, function: str, s: float, b: float, background: np.ndarray, signal: np.ndarray
) -> dict[str, Any]:
    window = (GRID >= 123) & (GRID <= 127)
    return {
        "name": name,
        "function": function,
        "candidates": [],
        "parameters": {},
        "signal_yield": s,
        "background_yield": b,
        "spurious_signal": 2.5,
        "signal_shape": {},
        "purity_weight": float(np.log1p(signal[window].sum() / background[window].sum())),
        "chi2": 9.2,
        "ndf": 26,
        "curve": {
            "mass": GRID.tolist(),
            "background": background.tolist(),
            "total": (background + signal).tolist(),
        },
    }


def _candidate(function: str, parameters: int, spurious: float) -> dict[str, Any]:
    return {
        "function": function,
        "n_parameters": parameters,
        "chi2_probability": 0.41,
        "spurious_signal": spurious,
        "spurious_tolerance": 5.0,
        "accepted": spurious < 5.0,
    }


def _fit(
    parts: list[dict[str, Any]], mu: float, error: float, constrained: list[str], free: list[str]
) -> dict[str, Any]:
    names = ["mu", *constrained, *free]
    rng = np.random.default_rng(7)
    scan = np.linspace(mu - 3 * error, mu + 3 * error, 41)
    spread = rng.normal(size=(len(names), 3 * len(names)))
    spread[0] += 0.8 * spread[1]
    pulls, errors = rng.normal(0, 0.4, len(names)), rng.uniform(0.8, 1, len(names))
    return {
        "mu": mu,
        "mu_err": [-0.98 * error, 1.02 * error],
        "mu_interval_95": [mu - 1.93 * error, mu + 2.01 * error],
        "significance": {"expected": 4.93, "observed": 5.12},
        "cross_section_pb": 0.1318,
        "cross_section_err_pb": {
            "stat": [-0.0241, 0.0244],
            "syst": [-0.0092, 0.0107],
            "lumi": 0.0028,
        },
        "nuisances": [
            {
                "name": name,
                "value": float(pull),
                "error": float(size),
                "pull": float(pull),
                "impact": [-0.05 * float(pull), 0.04 * float(pull)],
            }
            for name, pull, size in zip(constrained, pulls, errors, strict=False)
        ],
        "correlation": {"names": names, "matrix": np.corrcoef(spread).round(6).tolist()},
        "profile": {
            "mu": scan.tolist(),
            "two_delta_nll": (((scan - mu) / error) ** 2).tolist(),
            "two_delta_nll_stat": (((scan - mu) / (0.92 * error)) ** 2).tolist(),
        },
        "categories": parts,
        "minimiser": {"valid": True, "edm": 1e-7, "n_calls": 812},
    }
