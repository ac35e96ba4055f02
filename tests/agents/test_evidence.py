"""Evidence is cut to its sizes, tells nothing of the machine, and knows the same error again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.evidence import (
    CUT,
    MAX_FINDINGS,
    MAX_MESSAGE,
    MAX_OUTPUT,
    MAX_VALUE,
    Evidence,
    Finding,
    HintViolation,
    scrub,
)

BAD = Evidence(ok=False, exception="KeyError", message="no field 'photon_E'", line=12)


def test_texts_are_cut_to_the_stated_sizes() -> None:
    long = "a" * 100_000
    evidence = Evidence(
        ok=False,
        stdout=long + "end",
        stderr=long,
        exception="ValueError",
        message="begin" + long,
        findings=tuple(Finding(f"f{i}", i != 70, long, long) for i in range(80)),
        hint_violations=tuple(HintViolation("h", long) for _ in range(80)),
    )
    assert evidence.stdout == f"{CUT} {'a' * (MAX_OUTPUT - 3)}end"
    assert evidence.message == f"begin{'a' * (MAX_MESSAGE - 5)} {CUT}"
    assert len(evidence.findings) == MAX_FINDINGS
    assert evidence.findings[0].name == "f70"
    assert len(evidence.findings[0].found) == MAX_VALUE + 1 + len(CUT)
    assert len(evidence.hint_violations) == MAX_FINDINGS
    assert len(json.dumps(evidence.to_dict())) < 60_000


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('File "/tmp/bwrap-x1/solution.py", line 3', 'File "solution.py", line 3'),
        ("/data/a b", "a b"),
        ("<Thing at 0x7f3a2b1c0d0e>", "<Thing at 0x>"),
        ("pt/m_yy and a/b/c stay", "pt/m_yy and a/b/c stay"),
        ("http://host/one/two stays", "http://host/one/two stays"),
        ("\ud800\r\n", "?\n"),
    ],
)
def test_what_differs_between_machines_is_taken_out(text: str, clean: str) -> None:
    assert scrub(text) == clean


def test_the_length_of_a_folder_does_not_move_the_cut() -> None:
    def output(folder: str) -> str:
        return Evidence(ok=True, stdout="y" * 3_000 + f" {folder}/x.py" * 20).stdout

    assert output("/tmp/a") == output("/scratch/job/a-longer-name")


def test_the_same_error_has_the_same_signature() -> None:
    same = [
        replace(BAD, line=99, stdout="other output"),
        replace(BAD, findings=(Finding("finite", True),)),
    ]
    other = [
        replace(BAD, message="no field 'photon_pt'"),
        replace(BAD, exception="ValueError"),
        replace(BAD, findings=(Finding("finite", False),)),
    ]
    assert {e.signature for e in same} == {BAD.signature}
    assert len({e.signature for e in [BAD, *other]}) == 4
    assert len(BAD.signature) == 16


@given(
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0x100000, 2**48),
    st.sampled_from(["/tmp/a", "/scratch/x/y", "/home/u1"]),
)
@settings(deadline=None, max_examples=50)
def test_numbers_addresses_and_folders_do_not_count(
    count: int, value: float, address: int, folder: str
) -> None:
    def signature(count: int, value: float, address: int, folder: str) -> str:
        message = f"expected {count} rows, found {value!r} at 0x{address:x} in {folder}/t.parquet"
        return replace(BAD, message=message).signature

    assert signature(count, value, address, folder) == signature(7, 0.5, 0x7FFFFF, "/a/b")


def test_what_is_ok_has_no_signature() -> None:
    assert Evidence(ok=True, stdout="done").signature == ""


@pytest.mark.parametrize(
    "broken",
    [
        {"exception": "KeyError"},
        {"signal": "SIGKILL"},
        {"findings": (Finding("finite", False),)},
    ],
)
def test_ok_contradicts_a_failure(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected no failure in evidence that is ok"):
        Evidence(ok=True, **broken)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("evidence", "headline"),
    [
        (Evidence(ok=True), "passed every check"),
        (BAD, "KeyError: no field 'photon_E' (line 12)"),
        (Evidence(ok=False, signal="SIGKILL"), "the process was ended by SIGKILL"),
        (Evidence(ok=False, exit_code=3), "the process ended with exit code 3"),
        (
            Evidence(ok=False, findings=(Finding("rows", False, "39", "0"),)),
            "rows: expected 39, found 0",
        ),
    ],
)
def test_the_headline_is_the_failure(evidence: Evidence, headline: str) -> None:
    assert evidence.headline == headline


def test_evidence_comes_back_from_its_record() -> None:
    evidence = Evidence(
        ok=False,
        stdout="/a/b " * 900,
        message="x" * 5_000,
        exception="E",
        exit_code=1,
        findings=(Finding("a", False, "1" * 400, "2"),),
        hint_violations=(HintViolation("h", "d" * 400),),
        category="units",
        attribution="model",
    )
    record = json.loads(json.dumps(evidence.to_dict()))
    again = Evidence.from_dict(record)
    assert again.to_dict() == evidence.to_dict()
