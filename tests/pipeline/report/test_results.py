"""The schema of results.json accepts what the graph writes and names what is wrong."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import jsonschema
import pytest

from pipeline.report.errors import ReportError, ResultsError
from pipeline.report.results import results_schema, validate_results
from tests.pipeline.report.conftest import Reported


@pytest.fixture
def results(diphoton: Reported) -> dict[str, Any]:
    return copy.deepcopy(diphoton.run.results())


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(results_schema())
    assert results_schema()["properties"]["schema"] == {
        "const": 1,
        "description": "Version of this form.",
    }


def test_results_of_every_kind_of_run_are_valid(
    diphoton: Reported, four_lepton: Reported, partial: Reported
) -> None:
    for reported in (diphoton, four_lepton, partial):
        validate_results(reported.run.results())
    assert partial.run.results()["measurement"] is None


def _set(path: str, value: Any) -> Any:
    def change(results: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        target = results
        for name in parents:
            target = target[name]
        target[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_set("schema", 2), r"found at schema: 1 was expected"),
        (_set("new", 1), r"found at the top level: .*'new' was unexpected"),
        (_set("cutflow.343981", [["all", -1]]), r"cutflow\.343981\.0\.1: -1 is less than"),
        (_set("cutflow.343981", [["all", 3, 4]]), r"cutflow\.343981\.0"),
        (_set("stages.convert.outcome", "done"), r"stages\.convert\.outcome: 'done' is not one of"),
        (_set("stages.convert.rung", "top"), r"stages\.convert\.rung"),
        (_set("stages.cook", {}), r"'cook'"),
        (_set("samples.343981.selected", 1.5), r"samples\.343981\.selected: 1\.5 is not of type"),
        (_set("measurement.mu", None), r"measurement"),
        (_set("measurement.mu_err", [0.1]), r"measurement"),
        (_set("measurement", None), r"measurement_reason: None is not of type 'string'"),
        (_set("measurement_reason", "a reason"), r"measurement_reason: .* is not of type 'null'"),
        (_set("provenance.settings_sha256", "abc"), r"provenance\.settings_sha256"),
        (_set("categories.boundaries", [0.5, 1.5]), r"categories"),
    ],
)
def test_a_fault_is_named_with_its_place(
    results: dict[str, Any], change: Any, sentence: str
) -> None:
    change(results)
    with pytest.raises(ResultsError, match=sentence):
        validate_results(results)


@pytest.mark.parametrize("key", results_schema()["required"])
def test_every_promised_key_is_required(results: dict[str, Any], key: str) -> None:
    del results[key]
    with pytest.raises(ResultsError, match=f"'{key}' is a required property"):
        validate_results(results)


def test_the_error_is_a_value_error() -> None:
    assert issubclass(ResultsError, ReportError)
    assert issubclass(ReportError, ValueError)


def test_checking_results_does_not_import_the_drawing_library() -> None:
    code = (
        "import sys; from pipeline.report.results import validate_results; "
        "print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
