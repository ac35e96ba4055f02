"""The form of `results.json`: its JSON schema, and the check against it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from pipeline.files import read_json
from pipeline.report.errors import ResultsError

SCHEMA_PATH = Path(__file__).with_name("results.schema.json")


@cache
def results_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of `results.json`, version 1."""
    schema: dict[str, Any] = read_json(SCHEMA_PATH)
    return schema


def validate_results(results: Any) -> None:
    """Check the content of a `results.json` against its schema.

    Raises ResultsError, one sentence that names the place and what was found there, if a key is
    missing or unknown, a value has another type, or a measurement and its reason contradict.
    """
    validator = jsonschema.Draft202012Validator(results_schema())
    fault = jsonschema.exceptions.best_match(validator.iter_errors(results))
    if fault is not None:
        where = ".".join(map(str, fault.absolute_path)) or "the top level"
        raise ResultsError(
            f"expected results.json of schema 1, found at {where}: {fault.message}; "
            f"its form is documented in pipeline/report/{SCHEMA_PATH.name}"
        )
