"""Failures are sorted by rule, into the study's seven kinds and finer ones of our own."""

import pytest

from pipeline.judge.taxonomy import (
    CATEGORIES,
    MAX_EVIDENCE,
    STUDY_KINDS,
    Evidence,
    classify_checks,
    classify_failure,
    failure_from_record,
)
from pipeline.judge.verdict import Check, GuardCheck


def test_every_kind_of_the_study_has_a_category() -> None:
    assert len(STUDY_KINDS) == 7
    assert {c.study for c in CATEGORIES.values()} == set(STUDY_KINDS)
    assert set(STUDY_KINDS) <= set(CATEGORIES)


@pytest.mark.parametrize(
    ("exception", "message", "category", "attribution"),
    [
        ("SyntaxError", "invalid syntax (solution.py, line 3)", "syntax", "model"),
        ("ModuleNotFoundError", "No module named 'torch'", "import", "model"),
        ("ContractError", "expected 'scores' to be a function", "contract", "model"),
        ("ContractError", "expected scores(a, b), found scores(a)", "function-calling error",
         "model"),
        ("TypeError", "f() missing 1 required positional argument: 'x'", "function-calling error",
         "model"),
        ("KeyInFileError", "not found: 'photon_E'", "incorrect branch name", "model"),
        ("FieldNotFoundError", "no field 'photon_E' in record", "incorrect branch name", "model"),
        ("BranchError", "release 2025e-13tev-beta has no variable 'x'; nearest: y",
         "incorrect branch name", "model"),
        ("KeyError", "'m_gg'", "incorrect branch name", "model"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'out.npy'",
         "intermediate file not found", "model"),
        ("TimeoutError", "the solution did not end within 600 s", "timeout", "model"),
        ("MemoryError", "Unable to allocate 12 GiB", "memory", "model"),
        ("PermissionError", "[Errno 13] Permission denied: '/etc/x'", "sandbox violation", "model"),
        ("OSError", "[Errno 101] Network is unreachable", "sandbox violation", "model"),
        ("OSError", "[Errno 28] No space left on device", "infrastructure error", "infrastructure"),
        ("EndpointError", "HTTP 503 from the endpoint", "endpoint error", "endpoint"),
        ("DeserializationError", "expected 12 bytes", "bad input", "data"),
        ("", "no progress: the same error signature three rounds in a row", "no progress", "model"),
        ("", "finish_reason: length", "length", "model"),
        ("", "the model declined to answer", "refusal", "model"),
        ("RuntimeError", "no input found, using dummy data", "dummy data created", "model"),
        ("ValueError", "all data weights are zero", "all data weights = 0", "model"),
        ("IndexError", "index 3 is out of bounds", "semantic error", "model"),
        ("ValueError", "something unheard of", "other", "model"),
    ],
)  # fmt: skip
def test_exceptions_are_sorted_by_rule(exception, message, category, attribution) -> None:
    failure = classify_failure(Evidence(exception, message, "convert"))
    assert (failure.category, failure.attribution) == (category, attribution)
    assert failure.evidence == "convert: " + (f"{exception}: " if exception else "") + message


def test_the_record_of_execute_is_read() -> None:
    record = {"status": "failed", "failure": {"kind": "KeyError", "message": "'m_gg'",
                                              "traceback": "Timeout"}}  # fmt: skip
    assert failure_from_record(record, "preprocess").category == "incorrect branch name"
    known = {"failure": {"category": "length", "attribution": "endpoint", "evidence": "cut"}}
    kept = failure_from_record(known, "convert")
    assert (kept.category, kept.attribution, kept.evidence) == ("length", "endpoint", "cut")
    assert failure_from_record({"status": "failed", "failure": None}, "x").category == "other"


@pytest.mark.parametrize(
    ("failed", "category"),
    [
        ([Check("ggH: rows", False, 10, 9)], "semantic error"),
        ([GuardCheck("rows vanish", False, 10, 15)], "fabrication"),
        ([Check("343981: units of ph1_pt", False, 50.0, 50000.0),
          GuardCheck("rows vanish", False, 10, 15)], "units"),
        ([GuardCheck("shuffled labels give 0.5", False, 0.5, 0.8)], "leakage"),
        ([GuardCheck("the same input twice gives the same bits", False, "a", "b")],
         "not deterministic"),
        ([Check("data: all weights zero", False, "weights", 0.0)], "all data weights = 0"),
        ([Check("blinded rows", False, 0, 12)], "blinding"),
        ([Check("signal: columns", False, "weight", "none")], "contract"),
        ([GuardCheck("answers: rows dropped", False, "an answer", "KeyError: 'x'")],
         "incorrect branch name"),
    ],
)  # fmt: skip
def test_failed_checks_are_sorted_by_what_they_tell(failed, category) -> None:
    failure = classify_checks("convert", failed)
    assert failure.category == category
    assert failure.attribution == "model"
    assert failure.evidence.startswith("convert: ")


def test_evidence_is_kept_short() -> None:
    assert len(classify_failure(Evidence("ValueError", "x" * 5000)).evidence) == MAX_EVIDENCE
