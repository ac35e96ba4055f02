"""What is computed of a point's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.files import read_json, write_json
from pipeline.report.content import read_content
from pipeline.report.errors import ReportError
from pipeline.report.folder import read_points
from tests.pipeline.report.conftest import Reported
from tests.pipeline.report.run_directory import hyy_run


def test_yields_are_those_of_the_tables(diphoton: Reported) -> None:
    content = read_content(read_points(diphoton.run.path)[0])
    assert content.yields is not None
    tables = {
        name: pd.read_parquet(diphoton.run.point / f"classify/sealed/{name}.parquet")
        for name in ("signal", "background", "data")
    }
    window = tables["signal"]["m_yy"].between(123, 127)
    ggh = tables["signal"][window & (tables["signal"]["process"] == "ggH")]
    rows = content.yields.value
    assert sum(row.signal["ggH"].events for row in rows) == pytest.approx(ggh["weight"].sum())
    assert sum(row.total_background.events for row in rows) == pytest.approx(
        tables["background"]["weight"].sum()
    )
    assert sum(row.data or 0 for row in rows) == tables["data"]["m_yy"].between(123, 127).sum()
    categories = read_json(diphoton.run.point / "categorize/output/categories.json")
    assert [row.significance for row in rows] == pytest.approx(categories["significances"])
    fitted = [row.fitted for row in rows if row.fitted]
    assert sum(s for s, _ in fitted) == pytest.approx(1.04 * 0.789 * 1412, rel=0.02)


def test_background_yields_of_simulation_are_cut_to_the_window(four_lepton: Reported) -> None:
    content = read_content(read_points(four_lepton.run.path)[0])
    assert content.yields is not None
    (row,) = content.yields.value
    table = pd.read_parquet(four_lepton.run.point / "preprocess/output/background.parquet")
    inside = table[table["m_4l"].between(120, 130)]
    assert row.total_background.events == pytest.approx(inside["weight"].sum())
    assert row.name == "inclusive"


def test_the_classifier_is_compared_in_the_sidebands(diphoton: Reported) -> None:
    content = read_content(read_points(diphoton.run.path)[0])
    assert content.classifier is not None
    shapes = {shape.name: shape for shape in content.classifier.value.shapes}
    data = pd.read_parquet(diphoton.run.point / "classify/sealed/data.parquet")
    assert shapes["data"].rows == (~data["m_yy"].between(120, 130, inclusive="neither")).sum()
    signals = [r.name for r in content.classifier.value.rocs]
    assert signals == ["all signal", "ggH", "VBF", "WH", "ZH", "ttH", "ggZH"]
    areas = {r.name: r.auc for r in content.classifier.value.rocs}
    assert areas["ttH"] > 0.95 > areas["VBF"] > 0.8 > areas["ggH"] > 0.6


def test_partial_data_have_a_spectrum_and_no_fit(partial: Reported) -> None:
    content = read_content(read_points(partial.run.path)[0])
    assert content.stack is not None
    assert content.stack.value.layers == ()
    assert content.stack.value.data.values.sum() == 34
    assert content.spectra is None
    assert content.measurement is None
    assert content.yields is None
    assert content.profile is None


def test_categories_of_fit_and_search_must_be_the_same(empty: Path) -> None:
    run = hyy_run(empty, events=2000)
    path = run.point / "measure" / "sealed" / "measurement.json"
    measurement = read_json(path)
    measurement["categories"].reverse()
    write_json(path, measurement)
    content = read_content(read_points(run.path)[0])
    assert content.spectra is not None
    first = content.spectra.value.categories[0].fit
    assert first is not None
    assert first.chi2 == pytest.approx(24.1)
    measurement["categories"][0]["name"] = "other"
    write_json(path, measurement)
    with pytest.raises(ReportError, match=r"expected the categories .* found .*'other'"):
        read_content(read_points(run.path)[0])


def test_a_failed_classifier_leaves_its_figures_out(empty: Path) -> None:
    run = hyy_run(empty, events=2000)
    for path in (run.point / "classify").rglob("*.parquet"):
        path.unlink()
    results = read_json(run.point / "results.json")
    results |= {"measurement": None, "measurement_reason": "classify failed", "categories": None}
    write_json(run.point / "results.json", results)
    content = read_content(read_points(run.path)[0])
    assert content.classifier is None
    assert content.spectra is not None
    assert content.spectra.value.categories == ()
    hidden = content.spectra.value.inclusive.data.inside(120, 130)
    assert np.all(content.spectra.value.inclusive.data.values[hidden] == 0)
