"""The judge of categorize, on faulty solutions that are really run."""

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.files import read_json, write_json, write_table
from pipeline.judge import Verdict, judge
from pipeline.stages.categorize.checks import combined_significance
from tests.pipeline.stages.small_run import SmallRun, reference_code, spoiled


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """Scores of 4,000 signal and 9,000 background events, as many as 36 fb^-1 would select."""
    made = SmallRun.make(tmp_path_factory.mktemp("run"), data_rows=100, signal_rows=100)
    draw = np.random.default_rng(3)
    signal = pd.DataFrame({"m_yy": draw.normal(125, 1.7, 4000), "score": draw.beta(3, 1.5, 4000)})
    background = pd.DataFrame({"score": draw.beta(1.5, 3.5, 9000)})
    folder = made.folder / "reference" / "classify" / "output"
    write_table(folder / "signal.parquet", signal.assign(weight=60 / 4000))
    write_table(folder / "background.parquet", background.assign(weight=600 / 9000))
    made.reference("categorize")
    return made


def judged(run: SmallRun, tail: str) -> Verdict:
    return judge(run.solve("categorize", spoiled("categorize", tail)))


def failed(verdict: Verdict, with_rungs: bool = False) -> set[str]:
    checks = [c for c in verdict.checks if with_rungs or c.rung is None]
    return {c.name for c in (*checks, *verdict.guard) if not c.passed}


def fixed(boundaries: list[float]) -> str:
    return f"def boundaries(signal, background, significance):\n    return {boundaries}\n"


def references(run: SmallRun) -> list[float]:
    found: list[float] = read_json(run.folder / "reference/categorize/output/categories.json")[
        "boundaries"
    ]
    return found


def test_our_own_code_is_exact(run) -> None:
    verdict = judge(run.solve("categorize", reference_code("categorize")))
    assert failed(verdict, with_rungs=True) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "exact")
    assert len(verdict.guard) == 6
    assert len(references(run)) >= 2


def test_the_reference_is_judged_without_a_rung(run) -> None:
    verdict = judge(run.request("categorize", "reference"))
    assert (verdict.outcome, verdict.rung, failed(verdict)) == ("reference", None, set())


def test_the_significance_is_that_of_the_worked_example() -> None:
    signal = pd.DataFrame({"score": [0.9], "weight": [1.483]})
    background = pd.DataFrame({"score": [0.9], "weight": [0.9344]})
    assert combined_significance([0.5], signal, background) == pytest.approx(1.277, abs=5e-4)
    assert math.sqrt(1.277**2 + 1.030**2 + 0.6142**2 + 0.0824**2) == pytest.approx(1.754, abs=5e-4)


def test_boundaries_that_lose_one_percent_are_physics(run) -> None:
    tail = (
        "def boundaries(signal, background, significance):\n"
        "    return [b + 0.01 for b in honest(signal, background, significance)]\n"
    )
    verdict = judged(run, tail)
    assert failed(verdict) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "physics")


def test_a_coarser_grid_is_statistical(run) -> None:
    tail = (
        "def boundaries(signal, background, significance):\n"
        "    scores = Scores(*(floats(t[c]) for t in (signal, background)"
        " for c in ('score', 'weight')))\n"
        "    steps = greedy_steps(scores, significance, [k / 20 for k in range(1, 20)])\n"
        "    return sorted(s.boundary for s in steps if s.accepted)\n"
    )
    verdict = judged(run, tail)
    assert failed(verdict) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "statistical")


@pytest.mark.parametrize(
    ("boundaries", "names"),
    [
        ([], {"combined significance"}),
        ([0.01], {"gain of every boundary"}),
        ([0.5, 0.98, 0.99], {"background of every category", "gain of every boundary"}),
    ],
)
def test_bad_boundaries_fail(run, boundaries, names) -> None:
    verdict = judged(run, fixed(boundaries))
    assert names <= failed(verdict, with_rungs=True)
    assert verdict.outcome == "failed"


def test_the_references_answer_pasted_in_is_found(run) -> None:
    verdict = judged(run, fixed(references(run)))
    assert next(c for c in verdict.checks if c.rung == "exact").passed
    assert {"scores turned round: significance",
            "scores pressed into 0.1 to 0.5: significance"} <= failed(verdict)  # fmt: skip
    assert verdict.failure is not None
    assert verdict.failure.category == "fabrication"


def test_boundaries_drawn_at_random_are_found(run) -> None:
    tail = (
        "def boundaries(signal, background, significance):\n"
        "    return sorted(np.random.default_rng().uniform(0.2, 0.8, 2).tolist())\n"
    )
    verdict = judged(run, tail)
    assert "the same input twice gives the same bits" in failed(verdict)
    assert verdict.outcome == "failed"


def test_scores_of_other_rows_are_found(run) -> None:
    tail = (
        "def boundaries(signal, background, significance):\n"
        "    mixed = np.random.default_rng(1).permutation(signal['score'].to_numpy()[::-1])\n"
        "    both = np.concatenate([mixed, background['score']])[:len(signal)]\n"
        "    return honest(signal.assign(score=1 - both), background, significance)\n"
    )
    verdict = judged(run, tail)
    assert verdict.outcome == "failed"
    assert "a part of the input: significance" in failed(verdict)


def test_a_significance_that_is_not_that_of_the_categories_is_found(run) -> None:
    request = run.solve("categorize", reference_code("categorize"))
    path = request.output / "output" / "categories.json"
    content = read_json(path)
    write_json(path, {**content, "combined": content["combined"] * 1.1})
    verdict = judge(request)
    assert failed(verdict) == {"combined significance in categories.json"}
