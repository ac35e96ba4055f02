"""The run in two small files."""

from __future__ import annotations

import csv

from pipeline.files import read_json
from tests.pipeline.report.conftest import Reported


def test_the_table_has_a_row_per_stage(diphoton: Reported) -> None:
    with diphoton.product.summary_csv.open() as handle:
        rows = list(csv.DictReader(handle))
    assert [row["stage"] for row in rows] == [
        "inspect", "convert", "preprocess", "classify", "categorize", "measure",
    ]  # fmt: skip
    assert rows[0] == {
        "run": "shown", "point": "main", "stage": "inspect", "outcome": "reference", "rung": "",
        "rounds": "0", "api_calls": "0", "prompt_tokens": "0", "completion_tokens": "0",
        "wall_s": "12.5", "failure_category": "", "failure_attribution": "",
    }  # fmt: skip


def test_the_document_condenses_results(diphoton: Reported, partial: Reported) -> None:
    document = read_json(diphoton.product.summary_json)
    (point,) = document["points"]
    results = diphoton.run.results()
    assert document["schema"] == 1
    assert point["measurement"] == results["measurement"]
    assert point["categories"] == results["categories"]
    assert point["synthetic"] is True
    assert point["partial"] is False
    assert point["entries"] == 63_195 + 1_463_195
    assert point["figures"]["spectrum"]["png"] == "figures/spectrum.png"
    for files in point["figures"].values():
        for path in files.values():
            assert (diphoton.run.path / path).is_file()
    (other,) = read_json(partial.product.summary_json)["points"]
    assert other["measurement"] is None
    assert other["partial"] is True
    assert other["selected"] == 27 + 86
