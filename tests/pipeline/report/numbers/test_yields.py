"""Yields in the signal window."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.report.numbers.yields import (
    CategoryYields,
    Yield,
    everything,
    together,
    yield_columns,
    yields_by_process,
)


def test_yields_are_sums_of_weights_with_their_errors() -> None:
    processes = np.array(["ggH", "VBF", "ggH", "new"])
    found = yields_by_process(processes, np.array([1.0, 2.0, -0.5, 1.0]), ["ggH", "VBF", "ttH"])
    assert list(found) == ["ggH", "VBF", "new"]
    assert found["ggH"].events == 0.5
    assert found["ggH"].error == pytest.approx(np.sqrt(1.25))
    assert together([Yield(1, 3), Yield(2, 4)]) == Yield(3, 5)


def test_all_categories_add_up_and_significances_in_quadrature() -> None:
    rows = (
        CategoryYields("1", {"ggH": Yield(1.483, 0.1)}, {"b": Yield(0.9344, 0.1)}, 3, (1.0, 2.0)),
        CategoryYields("2", {"ggH": Yield(1.0, 0.1)}, {"b": Yield(4.0, 0.1)}, 5, (1.5, 3.0)),
    )
    assert rows[0].significance == pytest.approx(1.277, abs=5e-4)
    every = everything(rows)
    assert every.total_signal.events == pytest.approx(2.483)
    assert every.data == 8
    assert every.fitted == (2.5, 5.0)
    z = [row.significance or 0.0 for row in rows]
    assert every.significance == pytest.approx(np.hypot(*z))
    assert yield_columns(rows)["ggH"] == [1.483, 1.0]


def test_a_category_without_background_has_no_significance() -> None:
    assert CategoryYields("1", {"ggH": Yield(1, 1)}, {}, None, None).significance is None
