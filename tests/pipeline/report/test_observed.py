"""Which data are shown: nothing is unblinded before the measurement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.files import read_json, write_json, write_table
from pipeline.report.folder import PointFolder, read_points
from pipeline.report.observed import observed_data
from tests.pipeline.report.conftest import Reported
from tests.pipeline.report.event_tables import BOUNDARIES
from tests.pipeline.report.run_directory import RunDirectory, hyy_run


def _unmeasured(run: RunDirectory) -> PointFolder:
    results = read_json(run.point / "results.json")
    results |= {"measurement": None, "measurement_reason": "the stage measure failed"}
    write_json(run.point / "results.json", results)
    return read_points(run.path)[0]


def test_the_measurement_opens_the_blinded_rows(diphoton: Reported) -> None:
    data = observed_data(read_points(diphoton.run.path)[0])
    assert data is not None
    assert data.hidden is None
    assert data.blinded
    assert data.boundaries == BOUNDARIES
    assert ((data.masses > 121) & (data.masses < 129)).sum() > 1000
    names, masses = data.by_category()
    assert names == ["category 1", "category 2", "category 3", "category 4"]
    assert sum(map(len, masses)) == len(data.masses)
    window = data.in_window((123.0, 127.0))
    assert window is not None
    assert sum(window) == ((data.masses >= 123) & (data.masses <= 127)).sum()


def test_without_a_measurement_they_stay_closed(empty: Path) -> None:
    data = observed_data(_unmeasured(hyy_run(empty, events=2000)))
    assert data is not None
    assert data.hidden == (120.0, 130.0)
    assert not ((data.masses > 120) & (data.masses < 130)).any()
    assert data.in_window((123.0, 127.0)) is None
    assert all("/output/" in file for file in data.files)


def test_unblind_says_that_all_may_be_seen(empty: Path) -> None:
    run = hyy_run(empty, "unblind=true", events=2000)
    point = _unmeasured(run)
    data = observed_data(point)
    assert data is not None
    assert data.hidden is None
    assert ((data.masses > 120) & (data.masses < 130)).any()


def test_a_channel_that_hides_nothing(partial: Reported) -> None:
    data = observed_data(read_points(partial.run.path)[0])
    assert data is not None
    assert not data.blinded
    assert data.hidden is None
    assert len(data.masses) == 34


def test_converted_data_are_cut_to_tight_and_isolated(empty: Path) -> None:
    run = hyy_run(empty, events=2000)
    for stage in ("preprocess", "classify"):
        for part in ("output", "sealed"):
            (run.point / stage / part / "data.parquet").unlink()
    flags = {
        f"ph{i}_{name}": np.array([True, True, False])
        for i in (1, 2)
        for name in ("tight", "isolated")
    }
    flags["ph2_tight"] = np.array([True, False, True])
    table = pd.DataFrame({"m_yy": [110.0, 125.0, 140.0], **flags})
    write_table(run.point / "convert/output/data15_periodD.parquet", table[table["m_yy"] != 125])
    write_table(run.point / "convert/sealed/data15_periodD.parquet", table)
    data = observed_data(read_points(run.path)[0])
    assert data is not None
    assert data.masses.tolist() == [110.0]
    assert data.names == ("inclusive",)
    assert data.hidden == (120.0, 130.0)


def test_no_data_at_all(empty: Path) -> None:
    run = hyy_run(empty, events=2000)
    for path in run.point.rglob("data*.parquet"):
        path.unlink()
    assert observed_data(read_points(run.path)[0]) is None
