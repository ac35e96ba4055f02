"""A solution's source: what is wrong with it is said before any of it runs."""

import pytest

from pipeline.stages.contract import ContractError
from pipeline.stages.solution import SolutionLoadError
from pipeline.stages.source import check_definitions, parsed

CONVERT = {"BRANCHES": None, "convert": ("events",)}


@pytest.mark.parametrize(
    "source",
    [
        "BRANCHES = []\ndef convert(events): ...",
        "BRANCHES: list[str] = []\ndef convert(chunk, deep=True): ...",
        "import os\nif os:\n    BRANCHES = []\ndef convert(*events): ...",
        "from functools import partial as convert\nBRANCHES, rest = [], 1",
        "BRANCHES = []\nconvert = lambda events: {}",
    ],
)
def test_what_meets_the_contract(source: str) -> None:
    check_definitions(parsed(source), CONVERT)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def convert(events): ...", "define 'BRANCHES', found no such name"),
        ("BRANCHES = []", "define 'convert', found no such name"),
        ("def f():\n    BRANCHES = []\ndef convert(events): ...", "define 'BRANCHES'"),
        ("BRANCHES = []\ndef convert(): ...", r"expected convert\(events\), found convert\(\)"),
        ("BRANCHES = []\ndef convert(a, b): ...", r"found convert\(a, b\)"),
        ("BRANCHES = []\ndef convert(a, *, b): ...", r"found convert\(a, b\)"),
    ],
)
def test_what_does_not(source: str, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        check_definitions(parsed(source), CONVERT)


def test_a_syntax_error_names_its_line() -> None:
    with pytest.raises(SolutionLoadError, match=r"SyntaxError: .* \(line 2\)"):
        parsed("x = 1\nif x\n")
    with pytest.raises(SolutionLoadError, match="null byte"):
        parsed("x = 1\0")
