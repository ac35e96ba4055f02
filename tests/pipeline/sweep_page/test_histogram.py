"""Bins hold what they should, with the uncertainty that belongs to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.files import write_table
from pipeline.sweep_page.histogram import Observable, empty, fill, fill_file

MASS = Observable("mass", "mass", "m_yy", "m", "GeV", 100.0, 110.0, 2)
WEIGHTED = replace(MASS, key="weighted", weight="weight")
CROSS_SECTION = replace(WEIGHTED, key="xsec", per_generated=True)
VALUES = np.array([99.0, 100.0, 104.9, 105.0, 110.0, 111.0, np.nan])


def test_counts_have_poisson_variances() -> None:
    found = fill(MASS, VALUES, None)
    assert found.values.tolist() == [2, 2]  # the last bin holds its upper edge
    assert found.variances.tolist() == [2, 2]
    assert (found.below, found.above, found.rows, found.lost) == (1, 1, 7, 1)


def test_weights_have_the_sum_of_their_squares() -> None:
    weights = np.array([1.0, 2.0, -1.0, 3.0, np.inf, 5.0, 1.0])
    found = fill(WEIGHTED, VALUES, weights)
    assert found.values.tolist() == [1, 3]
    assert found.variances.tolist() == [5, 9]
    assert (found.below, found.above, found.lost) == (1, 5, 2)


def test_contents_add_up() -> None:
    one = fill(MASS, VALUES, None)
    both = one + one + empty(MASS)
    assert both.values.tolist() == [4, 4]
    assert (both.rows, both.below) == (14, 2)


def test_a_density_has_unit_area_with_what_is_beside() -> None:
    shown = fill(MASS, VALUES, None).to_json(density=True)
    assert sum(shown["y"]) + shown["below"] + shown["above"] == pytest.approx(1, abs=1e-4)
    assert shown["e"][0] == pytest.approx(np.sqrt(2) / 6, rel=1e-4)
    assert shown["sum"] == 6


def test_numbers_without_end_are_refused() -> None:
    found = fill(WEIGHTED, np.array([101.0, 102.0]), np.array([1.5e308, 1.5e308]))
    with pytest.raises(ValueError, match="finite numbers to draw, found inf"):
        found.to_json(density=False)


def test_a_file_gives_what_it_has_columns_for(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"m_yy": [101.0, 102.0], "weight": [1.0, 3.0], "xsection": 0.5, "sum_weights": 10.0}
    )
    write_table(tmp_path / "t.parquet", table)
    found = fill_file(tmp_path / "t.parquet", [MASS, CROSS_SECTION, replace(MASS, column="m_4l")])
    assert found["mass"].values.tolist() == [2, 0]
    assert found["xsec"].values.tolist() == pytest.approx([0.2, 0])
    assert found["xsec"].variances.tolist() == pytest.approx([0.025, 0])


def test_a_column_of_words_is_lost_and_stops_nothing(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", pd.DataFrame({"m_yy": ["<b>", "no number"]}))
    found = fill_file(tmp_path / "t.parquet", [MASS])["mass"]
    assert (found.rows, found.lost) == (2, 2)
