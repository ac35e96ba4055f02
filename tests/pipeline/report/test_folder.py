"""Which files of a run the report reads for a point."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.files import read_json, write_json
from pipeline.report.errors import ResultsError, RunFolderError
from pipeline.report.folder import read_points
from tests.pipeline.report.conftest import Reported
from tests.pipeline.report.run_directory import hzz4l_run


def test_a_chained_point_reads_its_own_files(diphoton: Reported) -> None:
    (point,) = read_points(diphoton.run.path)
    base = "points/main"
    assert point.own("measure", "measurement.json") == f"{base}/measure/sealed/measurement.json"
    assert point.read_by("measure", "classify", "data.parquet") == (
        f"{base}/classify/sealed/data.parquet"
    )
    assert point.visible("measure", "classify", "data.parquet") == (
        f"{base}/classify/output/data.parquet"
    )
    assert point.own("measure", "other.json") is None
    assert point.read_by("measure", "convert", "data.parquet") is None


def test_an_isolated_point_reads_what_the_reference_wrote(empty: Path) -> None:
    run = hzz4l_run(empty, "chain=isolated")
    (point,) = read_points(run.path)
    reference = run.path / "reference" / run.layout.points[0].reference
    assert point.read_by("measure", "preprocess", "data.parquet") is None
    (run.point / "preprocess").rename(reference / "preprocess")
    assert point.read_by("measure", "preprocess", "data.parquet") == (
        f"reference/{run.layout.points[0].reference}/preprocess/sealed/data.parquet"
    )


def test_a_stage_that_was_not_asked_for_is_the_references(empty: Path) -> None:
    run = hzz4l_run(empty, "chain=isolated", "stages=[preprocess]")
    (point,) = read_points(run.path)
    assert point.made_by("convert", "cutflow.json") is None
    folder = f"reference/{run.layout.points[0].reference}/convert"
    write_json(run.path / folder / "output" / "cutflow.json", {})
    assert point.made_by("convert", "cutflow.json") == f"{folder}/output/cutflow.json"


def test_partial_data_are_known_by_file_and_by_chunk(empty: Path, partial: Reported) -> None:
    assert read_points(partial.run.path)[0].partial
    run = hzz4l_run(empty)
    assert not read_points(run.path)[0].partial
    results = run.results()
    name = next(n for n, s in results["samples"].items() if s["kind"] == "data")
    results["samples"][name]["complete"] = False
    write_json(run.point / "results.json", results)
    assert read_points(run.path)[0].partial


@pytest.mark.parametrize("name", ["sweep.json", "points/main/results.json"])
def test_a_missing_file_is_one_sentence(empty: Path, name: str) -> None:
    run = hzz4l_run(empty)
    (run.path / name).unlink()
    sentence = f"expected the file '{Path(name).name}' at .*, found none; .* with `ladon run`"
    with pytest.raises(RunFolderError, match=sentence):
        read_points(run.path)


def test_wrong_results_are_refused(empty: Path) -> None:
    run = hzz4l_run(empty)
    results = read_json(run.point / "results.json")
    write_json(run.point / "results.json", {**results, "schema": 0})
    with pytest.raises(ResultsError, match="found at schema"):
        read_points(run.path)


def test_only_the_columns_that_are_there(diphoton: Reported) -> None:
    (point,) = read_points(diphoton.run.path)
    path = "points/main/preprocess/output/data.parquet"
    table = point.table(path, ["m_yy", "score", "weight"])
    assert list(table) == ["m_yy", "weight"]
    assert len(table) == point.rows(path)
