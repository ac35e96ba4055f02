"""Every script that a skill may draw comes to what its expected.yaml says, on real runs.

The bench, the execution over all data and the judge are the real ones, on the analysis for which
the truth is stated; its reference is made once.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from executors.sandbox import Bubblewrap, Limits
from pipeline.models import trial_seed
from pipeline.scripted import truth
from pipeline.scripted.scripts import known_skills
from pipeline.scripted.skill import choose, rates_of
from pipeline.scripted.truth import Expected, TruthError, expected, expected_cells, read_expected
from pipeline.settings import STAGES
from tests.pipeline.scripted.course import Course

DRAWN = sorted(
    {
        (stage, script)
        for skill in known_skills()
        for stage, rates in rates_of(skill).items()
        for script in rates
    },
    key=lambda pair: (STAGES.index(pair[0]), pair[1]),
)
QUICK = {
    ("inspect", "corrects"), ("inspect", "lists_little"), ("inspect", "reads_events"),
    ("inspect", "knows_one_tree"), ("convert", "softer_jets"), ("preprocess", "other_sums"),
    ("preprocess", "single_precision"), ("classify", "rounded_scores"), ("classify", "in_sample"),
    ("categorize", "own_formula"), ("categorize", "upper_half"),
}  # fmt: skip
"""Of those that the bench accepts, and that go through execution and judge, the ones that are
tried every time; what the bench does not accept takes a few seconds."""


def is_quick(stage: str, script: str) -> bool:
    return (stage, script) in QUICK or expected(script, stage).found_by == "bench"


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The analysis, with the reference's outputs."""
    available, reason = Bubblewrap(Limits()).available()
    if not available:
        pytest.skip(f"bubblewrap: {reason}; apt-get install bubblewrap provides it")
    return Course.make(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize(("stage", "script"), [
    pytest.param(*pair, marks=() if is_quick(*pair) else pytest.mark.slow) for pair in DRAWN
])  # fmt: skip
def test_it_comes_to_what_is_stated(stage: str, script: str, course: Course) -> None:
    found = course.take(script, stage)
    stated = expected(script, stage)
    assert Expected(**found.cell()) == stated, found.verdict["failure"]
    if stated.found_by == "judge":
        assert found.record["status"] == "ok"
        assert [c for c in (*found.verdict["checks"], *found.verdict["guard"]) if not c["passed"]]


@pytest.mark.parametrize("skill", known_skills())
def test_a_skill_takes_what_it_draws(skill: str, course: Course) -> None:
    [cell] = expected_cells([skill], ["inspect"], [4], seed=42)
    found = course.take(skill, "inspect", trial=4)
    for told in found.start["models"].values():
        assert told["scripted"] is True
        assert (told["skill"], told["variant"]) == (skill, cell.variant)
        assert told["name"] == f"scripted:{skill}/{cell.variant}"
    assert Expected(**found.cell()) == cell.result


@pytest.mark.parametrize("stage", STAGES)
def test_every_kind_of_ending_is_drawn(stage: str) -> None:
    results = [expected(script, each) for each, script in DRAWN if each == stage]
    passed = [r for r in results if r.outcome == "passed"]
    failed = [r for r in results if r.outcome == "failed"]
    assert {1, 2} <= {r.rounds for r in passed}
    assert len({(r.category, r.cause) for r in failed}) >= 2
    if stage != "measure":
        assert {"bench", "judge"} >= {r.found_by for r in failed} >= {"bench"}


def test_all_rungs_and_both_finders_and_hints_are_there() -> None:
    results = [expected(script, stage) for stage, script in DRAWN]
    rungs = {r.rung for r in results}
    assert rungs == {"exact", "permutation", "statistical", "physics", None}
    assert {r.found_by for r in results} == {"bench", "judge", None}
    assert any(r.hints and r.outcome == "passed" for r in results)


def test_cells_are_those_of_the_draws() -> None:
    cells = expected_cells(["expert", "novice"], ["convert", "classify"], range(10), seed=7)
    assert [(c.model, c.stage, c.trial) for c in cells] == [
        (skill, stage, trial)
        for skill in ("expert", "novice")
        for stage in ("convert", "classify")
        for trial in range(10)
    ]
    for cell in cells:
        assert cell.variant == choose(cell.model, cell.stage, trial_seed(7, cell.trial))
        assert cell.result == expected(cell.variant, cell.stage)
        assert cell.row()["outcome"] == cell.result.outcome
        assert cell.row()["variant"] == cell.variant


def test_truth_looks_at_no_run_and_no_evaluation() -> None:
    text = Path(truth.__file__).read_text(encoding="utf-8")
    assert "pipeline.evaluation" not in text
    assert "pipeline.judge" not in text


def test_a_script_falls_back_on_solves_and_nothing_else() -> None:
    assert expected("mev", "inspect") == expected("solves", "inspect")
    with pytest.raises(TruthError, match="expected the result of 'mev' in unfold, found none"):
        expected("mev", "unfold")


GOOD = ("{outcome: passed, rung: exact, category: null, cause: null, attribution: null, rounds: 1, "
        "api_calls: 3, found_by: null}")  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), [
    (GOOD.replace("rounds: 1, ", ""), r"expected outcome, rung, .* found outcome, rung"),
    (GOOD.replace("exact", "null"), r"a rung exactly for outcome passed .* found outcome 'passed'"),
    (GOOD.replace("passed", "failed"), r"found outcome 'failed', rung 'exact' and category None"),
])  # fmt: skip
def test_a_file_that_states_no_result(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "expected.yaml"
    path.write_text(f"convert: {text}", encoding="utf-8")
    with pytest.raises(TruthError, match=sentence):
        read_expected(path)
    assert read_expected(tmp_path / "none.yaml") == {}
