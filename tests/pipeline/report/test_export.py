"""Figures and numbers as files."""

from __future__ import annotations

import csv
from pathlib import Path

import hist
import matplotlib.pyplot as plt
import pytest
import uhi.io.json
import uhi.schema

from pipeline.files import read_json
from pipeline.report.export import write_csv
from tests.pipeline.report.conftest import Reported

BINNED = {"spectrum", "spectrum_weighted", "spectrum_categories", "cutflow", "scores"}
NOT_BINNED = {"roc", "boundaries", "likelihood", "nuisances", "correlation"}


def _names(reported: Reported) -> set[str]:
    return {path.stem for path in (reported.run.path / "figures").glob("*.png")}


def test_every_figure_has_its_four_files(diphoton: Reported) -> None:
    assert _names(diphoton) == BINNED | NOT_BINNED
    folder = diphoton.run.path / "figures"
    for name in _names(diphoton):
        for path in (f"{name}.pdf", f"data/{name}.csv", f"data/{name}.json"):
            assert (folder / path).stat().st_size > 100, path
    assert set(diphoton.product.figures) == {
        p for p in folder.rglob("*") if p.is_file() and p.name != "yields.csv"
    }


@pytest.mark.parametrize("name", sorted(BINNED))
def test_histograms_are_uhi_json_and_come_back(diphoton: Reported, name: str) -> None:
    document = read_json(diphoton.run.path / "figures" / "data" / f"{name}.json")
    for content in document.values():
        uhi.schema.validate(content)
        back = hist.Hist(uhi.io.json.object_hook(content))
        assert back.ndim == 1
        assert back.sum(flow=True) is not None


def test_the_histogram_of_data_holds_the_events(diphoton: Reported) -> None:
    document = read_json(diphoton.run.path / "figures" / "data" / "spectrum.json")
    data = hist.Hist(uhi.io.json.object_hook(document["data"]))
    with (diphoton.run.path / "figures" / "data" / "spectrum.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert data.values().tolist() == [float(row["data"]) for row in rows]
    assert data.axes[0].name == "m_yy"
    assert data.axes[0].label == "m_yy [GeV]"
    assert len(rows) == 55


@pytest.mark.parametrize("name", sorted(NOT_BINNED))
def test_other_numbers_are_columns(diphoton: Reported, name: str) -> None:
    document = read_json(diphoton.run.path / "figures" / "data" / f"{name}.json")
    assert document["schema"] == 1
    assert len({len(values) for values in document["columns"].values()}) == 1


def test_the_profile_is_that_of_the_measurement(diphoton: Reported) -> None:
    document = read_json(diphoton.run.path / "figures" / "data" / "likelihood.json")
    measurement = read_json(diphoton.run.point / "measure" / "sealed" / "measurement.json")
    assert document["columns"]["two_delta_nll"] == measurement["profile"]["two_delta_nll"]


def test_missing_values_are_empty_cells(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", {"x": [1.5, None, float("nan")], "y": ["a", "b", "c"]})
    assert (tmp_path / "a.csv").read_text() == "x,y\n1.5,a\n,b\n,c\n"


def test_no_figure_stays_open(diphoton: Reported) -> None:
    assert diphoton.product.figures
    assert plt.get_fignums() == []


def test_files_carry_no_date(diphoton: Reported) -> None:
    for name in _names(diphoton):
        pdf = (diphoton.run.path / "figures" / f"{name}.pdf").read_bytes()
        assert b"CreationDate" not in pdf
        assert b"ModDate" not in pdf
