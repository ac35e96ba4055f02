"""Spectra: bins, curves, residuals, pulls and the weighted sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.report.numbers.binned import count, edges_between
from pipeline.report.numbers.spectrum import FitCurve, spectra, spectrum

MASS = np.linspace(105, 160, 56)


def _fit(name: str, background: float, signal: float, weight: float) -> dict[str, Any]:
    peak = np.where(np.abs(MASS - 125) < 3, signal, 0.0)
    return {
        "name": name,
        "purity_weight": weight,
        "chi2": 20.0,
        "ndf": 21,
        "curve": {
            "mass": MASS.tolist(),
            "background": np.full(56, background).tolist(),
            "total": (background + peak).tolist(),
        },
    }


def test_the_fit_is_compared_bin_by_bin() -> None:
    data = count(np.array([106.0, 106.5, 150.0]), edges_between(105, 160, 5))
    shown = spectrum("x", data, FitCurve(MASS, np.full(56, 0.2), np.full(56, 0.4)), None)
    assert shown.fit is not None
    assert shown.fit.background == pytest.approx(np.full(11, 1.0))
    assert shown.fit.residual[:2] == pytest.approx([1.0, -1.0])
    # Two events where two are expected; none where two are: over the upper error of zero.
    assert shown.fit.pull[0] == pytest.approx(0.0, abs=1e-12)
    assert shown.fit.pull[1] == pytest.approx(-2 / 1.8410, rel=1e-3)
    assert shown.fit.inside(123, 127) == pytest.approx((0.8, 0.8))


def test_the_sum_of_categories_is_the_whole() -> None:
    masses = [np.array([110.0, 125.0]), np.array([125.2, 126.0, 150.0])]
    fits = [_fit("a", 2.0, 0.5, 0.1), _fit("b", 0.5, 0.5, 0.7)]
    found = spectra(masses, ("a", "b"), fits, (105.0, 160.0), (1.0, 2.5))
    assert found.inclusive.events == 5
    assert found.inclusive.width == 1.0
    assert [c.events for c in found.categories] == [2, 3]
    assert [c.width for c in found.categories] == [2.5, 2.5]
    assert found.inclusive.fit is not None
    parts = [c.fit.background.sum() for c in found.categories if c.fit]
    assert found.inclusive.fit.background.sum() == pytest.approx(sum(parts))


def test_the_weighted_sum_weighs_events_and_curves_alike() -> None:
    masses = [np.array([110.0, 125.0]), np.array([125.2, 126.0, 150.0])]
    fits = [_fit("a", 2.0, 0.5, 0.1), _fit("b", 0.5, 0.5, 0.7)]
    weighted = spectra(masses, ("a", "b"), fits, (105.0, 160.0), (1.0, 2.5)).weighted
    assert weighted is not None
    assert weighted.data.values.sum() == pytest.approx(2 * 0.1 + 3 * 0.7)
    assert weighted.data.values[20] == pytest.approx(0.8)
    assert weighted.data.high[20] == pytest.approx(np.hypot(0.1, 0.7))
    assert weighted.fit is not None
    assert weighted.fit.background.sum() == pytest.approx(55 * (2.0 * 0.1 + 0.5 * 0.7))


def test_without_a_fit_there_are_data_alone() -> None:
    masses = [np.array([110.0]), np.array([150.0])]
    found = spectra(masses, ("a", "b"), [], (105.0, 160.0), (1.0, 2.5), hidden=(120.0, 130.0))
    assert found.weighted is None
    assert found.inclusive.fit is None
    assert found.inclusive.hidden == (120.0, 130.0)
    assert set(found.inclusive.histograms("m_yy")) == {"data"}


def test_one_category_is_the_whole_and_keeps_its_goodness() -> None:
    found = spectra(
        [np.array([110.0])], ("inclusive",), [_fit("inclusive", 2.0, 0.5, 1.0)], (105.0, 160.0),
        (2.5, 5.0),
    )  # fmt: skip
    assert found.categories == ()
    assert found.inclusive.fit is not None
    assert (found.inclusive.fit.chi2, found.inclusive.fit.ndf) == (20.0, 21)


def test_columns_hold_one_row_per_bin() -> None:
    found = spectra(
        [np.array([110.0])], ("inclusive",), [_fit("inclusive", 2.0, 0.5, 1.0)], (105.0, 160.0),
        (2.5, 5.0),
    ).inclusive  # fmt: skip
    columns = found.columns()
    assert {len(values) for values in columns.values()} == {22}
    assert list(columns)[:4] == ["category", "low_gev", "high_gev", "data"]
    assert columns["fit_background"] == pytest.approx([5.0] * 22)
