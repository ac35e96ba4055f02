"""Verdicts: the rung that a set of checks reaches, and the file that keeps it."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from pipeline.judge.verdict import (
    SCHEMA,
    Check,
    Failure,
    GuardCheck,
    Verdict,
    VerdictError,
    failed_requirements,
    read_verdict,
    rung_reached,
    write_verdict,
)


def check(rung, passed):
    return Check("c", passed, 1, 1, "", rung)


@pytest.mark.parametrize(
    ("checks", "rung"),
    [
        ([], None),
        ([check("exact", True)], "exact"),
        ([check("exact", True), check("exact", False), check("permutation", True)], "permutation"),
        ([check("exact", False), check("permutation", False), check("physics", True)], "physics"),
        ([check("exact", False), check("statistical", True), check("statistical", False)], None),
        ([check(None, True)], None),  # requirements alone reach nothing
    ],
)
def test_the_highest_rung_whose_own_checks_all_pass(checks, rung) -> None:
    assert rung_reached(checks) == rung


def test_requirements_and_guards_fail_a_stage() -> None:
    bad, broken = Check("units", False, 1, 1000), GuardCheck("rows vanish", False, 10, 15)
    checks = [check("exact", False), bad, check(None, True)]
    assert failed_requirements(checks, [GuardCheck("same", True, 1, 1), broken]) == (bad, broken)


def test_a_verdict_survives_its_file(tmp_path: Path) -> None:
    verdict = Verdict(
        "convert",
        "failed",
        None,
        (Check("rows", False, np.int64(100), float("nan"), "d", "statistical"),),
        (GuardCheck("twice", np.bool_(True), "bits", None),),  # type: ignore[arg-type]
        Failure("units", "model", "MeV"),
    )
    write_verdict(tmp_path / "verdict.json", verdict)
    kept = json.loads((tmp_path / "verdict.json").read_text())
    jsonschema.validate(kept, SCHEMA)
    assert kept["schema"] == 1
    assert kept["checks"][0] == {
        "name": "rows", "rung": "statistical", "passed": False, "expected": 100, "found": "nan",
        "detail": "d",
    }  # fmt: skip
    again = read_verdict(tmp_path / "verdict.json")
    assert again.failure == verdict.failure
    assert again.to_json() == kept


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outcome": "great"}, "outcome"),
        ({"schema": 2}, "schema"),
        ({"failure": {"category": "units", "attribution": "nobody", "evidence": ""}}, "failure"),
        ({"extra": 1}, "extra"),
    ],
)
def test_another_form_is_refused_with_its_place(change, said) -> None:
    plain = Verdict("measure", "passed", "exact").to_json()
    with pytest.raises(VerdictError, match=said):
        Verdict.from_json({**plain, **change})


def test_a_verdict_cannot_contradict_itself() -> None:
    with pytest.raises(VerdictError, match="rung"):
        Verdict("convert", "passed")
    with pytest.raises(VerdictError, match="rung"):
        Verdict("convert", "reference", "exact")
    with pytest.raises(VerdictError, match="failure"):
        Verdict("convert", "failed")


def test_only_scalars_go_into_a_check() -> None:
    verdict = Verdict("convert", "passed", "exact", (Check("c", True, [1], 1),))  # type: ignore[arg-type]
    with pytest.raises(VerdictError, match=r"found \[1\]"):
        verdict.to_json()
