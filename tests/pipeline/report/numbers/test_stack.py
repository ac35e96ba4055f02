"""The stack of simulated processes."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.report.numbers.binned import edges_between
from pipeline.report.numbers.stack import Simulated, stack

EDGES = edges_between(80, 170, 2.5)


def test_backgrounds_lie_by_size_below_the_signal() -> None:
    simulated = {
        "ggH": Simulated("ggH", "signal", np.full(10, 125.0), np.full(10, 0.5)),
        "ZZ": Simulated("ZZ*", "background", np.full(4, 91.0), np.full(4, 2.0)),
        "Zjets": Simulated("Z+jets", "background", np.full(2, 125.0), np.array([1.5, -0.5])),
    }
    found = stack(np.array([91.0, 125.0, 125.0, 300.0]), simulated, EDGES)
    assert [layer.process for layer in found.layers] == ["Zjets", "ZZ", "ggH"]
    assert found.data.values.sum() == 3
    at_peak = np.searchsorted(EDGES, 125.0, side="right") - 1
    assert found.total(found.layers)[at_peak] == pytest.approx(6.0)
    assert found.total(found.backgrounds)[at_peak] == pytest.approx(1.0)
    assert found.error[at_peak] == pytest.approx(np.sqrt(10 * 0.25 + 2.25 + 0.25))
    columns = found.columns()
    assert sum(columns["ZZ"]) == pytest.approx(8.0)
    assert set(found.histograms("m_4l")) == {"data", "ZZ", "Zjets", "ggH"}


def test_data_alone() -> None:
    found = stack(np.array([91.0]), {}, EDGES)
    assert found.layers == ()
    assert found.total(found.layers).sum() == 0
    assert list(found.columns())[2:] == ["data", "data_error_low", "data_error_high"]
