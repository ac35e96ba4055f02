"""`ladon compare`: what it finds, what it says beside the numbers, and what it refuses."""

import json
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.evaluation.compare import Comparison, compare_runs
from pipeline.evaluation.reading import EvaluationError
from tests.pipeline.evaluation.made import (
    MISSING,
    NOT_REACHED,
    PASSED,
    UNSOLVED,
    MadePoint,
    grid,
    write_sweep,
)

TRUTH = {"novice": {"convert": 2, "classify": 0}, "expert": {"convert": 10, "classify": 7}}


@pytest.fixture
def outputs(in_tmp: Path) -> Path:
    """A sweep of two models with ten trials, and one with three trials of one of them."""
    write_sweep(in_tmp / "outputs" / "sweep", grid(TRUTH, 10, failed=UNSOLVED))
    write_sweep(in_tmp / "outputs" / "few", grid({"novice": {"convert": 1}}, 3))
    return in_tmp / "outputs"


def compared(*words: str) -> Comparison:
    return compare_runs(words, lambda name: _there(Path("outputs") / name))


def _there(folder: Path) -> Path:
    if not (folder / "sweep.json").is_file():
        raise FileNotFoundError(f"expected a run in {folder}, found none")
    return folder


def test_two_models_of_a_sweep(outputs: Path) -> None:
    found = compared("sweep:expert", "sweep:novice")
    whole, convert, classify = found.stages
    assert [s.rates.stage for s in found.stages] == ["all", "convert", "classify"]
    assert (convert.rates.rate_a.value, convert.rates.rate_b.value) == (1.0, 0.2)
    assert convert.rates.difference == pytest.approx(0.8)
    assert (convert.rates.p, convert.rates.p_holm) == pytest.approx((2 / 2**8, 4 / 2**8))
    assert classify.rates.p_holm == pytest.approx(2 / 2**7)
    assert (whole.rates.n, whole.rates.only_a, whole.rates.only_b) == (20, 15, 0)
    assert convert.spent_a.tokens.value == 3600.0
    assert convert.spent_a.calls_lost.value == 0.0
    assert convert.spent_b.calls_lost.value == pytest.approx(8 * 6 / (8 * 6 + 2 * 3))
    assert found.notes == (
        "sweep:expert: replies written by people, no language model",
        "sweep:novice: replies written by people, no language model",
    )


def test_a_comparison_the_other_way_round_mirrors(outputs: Path) -> None:
    forth = compared("sweep:expert", "sweep:novice")
    back = compared("sweep:novice", "sweep:expert")
    for a, b in zip(forth.stages, back.stages, strict=True):
        assert a.rates.difference == -(b.rates.difference or 0.0)
        assert (a.rates.p_holm, a.rates.n) == (b.rates.p_holm, b.rates.n)


def test_few_trials_that_do_not_match_are_said_so(outputs: Path) -> None:
    notes = compared("few", "sweep:novice").notes
    assert any(
        n.startswith("the trials do not match: 17 rated cells") and "trials 0-2 of convert" in n
        for n in notes
    )
    assert any("too few pairs: with 3 even a difference in all of them has p = 0.25" in n
               for n in notes)  # fmt: skip


def test_nothing_in_common_is_said_so(outputs: Path) -> None:
    write_sweep(outputs / "other", [MadePoint("novice", 7, {"convert": PASSED})])
    found = compared("few", "other")
    assert found.stages[0].rates.n == 0
    assert found.notes[0] == (
        "nothing to compare: few has trials 0-2 of convert, other has trials 7 of convert; run "
        "both with the same stages and trials"
    )


def test_whole_sweeps_are_paired_model_by_model(outputs: Path) -> None:
    better = {"novice": {"convert": 6, "classify": 0}, "expert": {"convert": 10, "classify": 7}}
    write_sweep(outputs / "again", grid(better, 10))
    (whole, *_) = compared("sweep", "again").stages
    assert (whole.rates.n, whole.rates.only_a, whole.rates.only_b) == (40, 0, 4)


def test_settings_of_a_model_are_paired_with_their_like(outputs: Path) -> None:
    points = [
        MadePoint(m, t, {"convert": PASSED if good else UNSOLVED}, choices={"solver.hints": hints})
        for m, hints, good in (
            ("a", "true", True), ("a", "false", False), ("b", "true", True), ("b", "false", True)
        )
        for t in range(6)
    ]  # fmt: skip
    write_sweep(outputs / "hints", points)
    (whole, _) = compared("hints:a", "hints:b").stages
    assert (whole.rates.n, whole.rates.only_a, whole.rates.only_b) == (12, 0, 6)
    one, other = "hints:a · solver.hints=true", "hints:a · solver.hints=false"
    (whole, _) = compared(one, other).stages
    assert (whole.rates.n, whole.rates.difference, whole.rates.p) == (6, 1.0, 2 / 2**6)


def test_what_is_not_rated_and_not_reached_is_noted(outputs: Path) -> None:
    stages = {"convert": UNSOLVED, "classify": NOT_REACHED, "categorize": MISSING}
    write_sweep(outputs / "partial", [MadePoint("novice", 0, stages)])
    notes = compared("partial", "sweep:novice").notes
    assert any("partial: 1 cells are not rated" in note for note in notes)
    assert any("not reached by a side's own failure counts as not passed" in n for n in notes)


def test_costs_say_by_which_prices(outputs: Path) -> None:
    prices = {"per_hour": 2.0, "as_of": "2026-11-01"}
    for name, given in (("old", prices), ("new", {**prices, "as_of": "2026-12-01"})):
        write_sweep(outputs / name, grid({"m": {"convert": 1}}, 2, prices=given))
    basis = "prices of the model's configuration"
    assert f"cost by {basis} (2026-11-01)" in compared("old", "old").notes
    told = f"cost of A by {basis} (2026-11-01), of B by {basis} (2026-12-01): not the same measure"
    assert told in compared("old", "new").notes


def test_an_unknown_configuration_names_what_there_is(outputs: Path) -> None:
    with pytest.raises(EvaluationError, match=r"'experts' in .*; did you mean 'expert'\?"):
        compared("sweep:experts", "sweep:novice")


def test_our_own_solutions_are_no_side(outputs: Path) -> None:
    own = MadePoint("none", 0, {"convert": PASSED}, solver="reference")
    write_sweep(outputs / "own", [own])
    with pytest.raises(EvaluationError, match="found none but our own"):
        compared("own", "few")


def test_the_verb_prints_a_table(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "sweep:expert", str(outputs / "sweep") + ":novice"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for word in ("convert", "classify", "exact McNemar", "no language model"):
        assert word in told


def test_the_verb_prints_json(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep:expert · x=1", "sweep:novice"]
    assert main(["compare", *words, "--json"]) == 2
    assert "unknown configuration 'expert · x=1'" in " ".join(capsys.readouterr().err.split())
    assert main(["compare", "sweep:expert", "sweep:novice", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["a"]) == (1, "sweep:expert")
    assert told["stages"][1]["rates"]["rate_a"]["passed"] == 10
