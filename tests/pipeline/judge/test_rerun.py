"""Asking a frozen solution again: afresh each time, on copies, and with faults as data."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.judge.guard import (
    depends,
    difference,
    every_third,
    near,
    rows_follow,
    same_twice,
    spread,
)
from pipeline.judge.rerun import FrozenSolution
from tests.pipeline.judge.tables import converted


@dataclass
class Doubling:
    """The contract of a stage that answers with a table."""

    stage: str = "doubling"
    defines: dict[str, Any] = field(default_factory=lambda: {"double": ("table",)})

    def call(self, solution, arguments):
        return solution.double(arguments["table"])

    def accept(self, result, arguments):
        if len(result) != len(arguments["table"]):
            raise ValueError("expected as many rows as were given")
        return result


def solution(tmp_path: Path, body: str) -> FrozenSolution:
    path = tmp_path / "solution.py"
    path.write_text("import numpy as np\nCALLS = []\ndef double(table):\n" + body)
    return FrozenSolution(path, Doubling())  # type: ignore[arg-type]


@pytest.fixture
def arguments() -> dict[str, Any]:
    return {"table": converted(50)}


def test_a_solution_answers_on_copies(tmp_path, arguments) -> None:
    before = arguments["table"].copy()
    asked = solution(tmp_path, "    table['m_yy'] *= 2\n    return table\n").ask(arguments)
    assert not asked.failed
    assert np.array_equal(asked.product["m_yy"], 2 * before["m_yy"])
    assert arguments["table"].equals(before)
    assert asked.guard("q").passed


def test_a_solution_remembers_nothing(tmp_path, arguments) -> None:
    counting = solution(tmp_path, "    CALLS.append(1)\n    return table.assign(n=len(CALLS))\n")
    assert [int(counting.ask(arguments).product["n"].iloc[0]) for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("    return table['m_gg']\n", "KeyError: 'm_gg'"),
        ("    raise SystemExit(3)\n", "SystemExit: 3"),
        ("    return table.iloc[:3]\n", "ContractError: expected a result as the contract says"),
        ("    return (\n", "SolutionLoadError: the solution cannot be imported: SyntaxError"),
    ],
)
def test_a_fault_is_an_answer_too(tmp_path, arguments, body, error) -> None:
    answer = solution(tmp_path, body).ask(arguments)
    assert answer.failed
    assert answer.error.startswith(error)
    assert not answer.guard("q").passed


def test_the_same_twice_finds_random_numbers_without_a_seed(tmp_path, arguments) -> None:
    seeded = "    r = np.random.default_rng(1)\n    return table.assign(x=r.random(len(table)))\n"
    honest = solution(tmp_path, seeded)
    assert same_twice(honest, arguments, honest.ask(arguments)).passed
    drawing = solution(tmp_path, seeded.replace("rng(1)", "rng()"))
    check = same_twice(drawing, arguments, drawing.ask(arguments))
    assert not check.passed
    assert check.found == "/x: other values"


def test_rows_follow_those_that_were_kept() -> None:
    base = converted(90)
    kept = every_third(90)
    assert kept.sum() == 60
    assert not kept[0]
    mixed = base[kept].sample(frac=1, random_state=1)
    assert rows_follow("rows vanish", mixed, base, kept).passed
    assert not rows_follow("rows vanish", base, base, kept).passed
    assert not rows_follow("rows vanish", base[kept].assign(m_yy=1.0), base, kept).passed
    assert not rows_follow("rows vanish", base[~kept], base, kept).passed


def test_differences_are_found_at_any_depth() -> None:
    first = {"a": [1.0, {"b": np.arange(3)}], "t": pd.DataFrame({"x": [1.0, np.nan]})}
    same = {"a": [1.0, {"b": np.arange(3)}], "t": pd.DataFrame({"x": [1.0, np.nan]})}
    assert difference(first, same) == ""
    same["a"][1]["b"][2] = 7  # type: ignore[index]
    assert difference(first, same) == "/a/1/b: other values"
    assert difference({"a": 1}, {"b": 1}) == ": other names"
    assert difference([1], [1, 2]) == ": 1 and 2 items"
    assert difference({"z": 1.0}, {"z": 1.5}) == "/z: 1.0 and 1.5"
    assert difference({"z": None}, {"z": None}) == ""


def test_a_number_follows_or_does_not() -> None:
    assert near("mu", 1.02, 1.0, 0.05).passed
    assert not near("mu", 1.06, 1.0, 0.05).passed
    assert not near("mu", float("nan"), 1.0, 0.05).passed
    assert not depends("d", {"x": 1.0}, {"x": 1.0}).passed
    assert depends("d", {"x": 1.0}, {"x": 2.0}).passed


def test_a_spread_sample_is_the_same_every_time() -> None:
    assert list(spread(10, 4)) == [0, 3, 6, 9]
    assert list(spread(3, 10)) == [0, 1, 2]
    assert len(spread(0, 10)) == 0
