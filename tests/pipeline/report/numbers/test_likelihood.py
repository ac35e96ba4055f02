"""What the report takes from measurement.json about the fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.report.numbers.likelihood import (
    correlation,
    nuisance_columns,
    nuisances,
    parameter_name,
    profile,
)

MEASUREMENT: dict[str, Any] = {
    "mu": 1.1,
    "mu_err": [-0.2, 0.3],
    "mu_interval_95": [0.7, 1.8],
    "profile": {"mu": [0.5, 1.1, 1.7], "two_delta_nll": [4, 0, 4], "two_delta_nll_stat": [5, 0, 5]},
    "nuisances": [
        {"name": "scale", "value": 0.1, "error": 0.9, "pull": 0.1, "impact": [-0.01, 0.02]},
        {"name": "slope", "value": 3.0, "error": 0.9, "pull": None},
        {"name": "mc:category 2", "value": -1.0, "error": 1.0, "pull": -1.0, "impact": [-0.1, 0.1]},
    ],
    "correlation": {"names": ["mu", "scale"], "matrix": [[1, 0.3], [0.3, 1]]},
}


def test_the_profile_is_kept_as_scanned() -> None:
    found = profile(MEASUREMENT)
    assert found is not None
    assert found.best == 1.1
    assert found.error == (-0.2, 0.3)
    assert found.interval_95 == (0.7, 1.8)
    assert found.columns() == {
        "mu": [0.5, 1.1, 1.7],
        "two_delta_nll": [4.0, 0.0, 4.0],
        "two_delta_nll_statistical": [5.0, 0.0, 5.0],
    }


def test_a_fit_without_a_scan_has_no_profile() -> None:
    assert profile({**MEASUREMENT, "profile": {"mu": [], "two_delta_nll": []}}) is None


def test_constrained_parameters_by_impact_and_no_free_ones() -> None:
    found = nuisances(MEASUREMENT)
    assert [n.name for n in found] == ["mc:category 2", "scale"]
    assert found[0].size == 0.1
    assert nuisance_columns(found)["impact_down"] == [-0.1, -0.01]


def test_correlation_needs_two_parameters() -> None:
    found = correlation(MEASUREMENT)
    assert found is not None
    assert np.array_equal(found.matrix, found.matrix.T)
    assert found.columns() == {"parameter": ["mu", "scale"], "mu": [1.0, 0.3], "scale": [0.3, 1.0]}
    assert correlation({"correlation": {"names": ["mu"], "matrix": [[1]]}}) is None


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("mu", "μ"),
        ("scale", "scale"),
        ("mc:category 2", "simulation statistics, category 2"),
        ("spurious:category 1", "spurious signal, category 1"),
        ("a1:category 1", "shape a1, category 1"),
    ],
)
def test_parameter_names(name: str, meaning: str) -> None:
    assert parameter_name(name) == meaning
