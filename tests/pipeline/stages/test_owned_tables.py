"""A table that a solution gets is its own, and can be written to in every way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.files import read_table, write_table
from pipeline.stages.tables import own, read_tables


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rows = pd.DataFrame({"score": np.arange(5.0), "run": np.arange(5), "sample": ["x"] * 5})
    write_table(tmp_path / "signal.parquet", rows)
    return tmp_path / "signal.parquet"


def test_what_was_read_can_be_written_to(path: Path) -> None:
    """Arrow's own memory cannot: pandas takes it as it is where it may."""
    for table in (read_table(path), own(read_table(path)), read_table(path, ["score"])):
        table.loc[table["score"] > 2, "score"] = 7.0
        assert table["score"].tolist() == [0.0, 1.0, 2.0, 7.0, 7.0]


def test_its_owner_changes_nobody_elses(path: Path) -> None:
    given = read_table(path)
    mine = own(given)
    mine.loc[0, "score"] = 99.0
    mine["run"] += 1
    mine["new"] = 1
    mine.iloc[1, 0] = 98.0
    pd.testing.assert_frame_equal(given, read_table(path))


def test_only_the_columns_that_a_table_has(path: Path) -> None:
    (found,) = read_tables(path.parent, ["signal"], ["score", "control_weight"]).values()
    assert list(found.columns) == ["score"]
