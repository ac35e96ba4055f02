"""Measures of cells whose truth is known."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.intervals import wilson
from pipeline.evaluation.measures import ALL_STAGES, Measures, measures
from pipeline.evaluation.passing import unbiased
from pipeline.evaluation.reading import read_cells
from pipeline.evaluation.spending import Pricing
from pipeline.files import to_json
from pipeline.judge.verdict import RUNGS
from tests.pipeline.evaluation.made import (
    UNSOLVED,
    failed_cell,
    grid,
    made_cell,
    outcomes,
    write_sweep,
)

T, F = True, False


def only(cells: tuple[Cell, ...], pricing: Pricing | None = None) -> Measures:
    """The measures of one configuration at one stage."""
    _, found = measures(cells) if pricing is None else measures(cells, pricing)
    return found


def test_the_tables_of_a_sweep_are_the_known_truth(tmp_path: Path) -> None:
    truth = {"novice": {"convert": 2, "classify": 0}, "expert": {"convert": 10, "classify": 7}}
    run = write_sweep(tmp_path / "run", grid(truth, 10, failed=UNSOLVED))
    found = {(m.config, m.stage): m for m in measures(read_cells(run))}
    assert list(found) == [
        ("novice", "all"), ("novice", "convert"), ("novice", "classify"),
        ("expert", "all"), ("expert", "convert"), ("expert", "classify"),
    ]  # fmt: skip
    for model, stages in truth.items():
        for stage, passes in stages.items():
            rate = found[model, stage].passed
            assert (rate.passed, rate.n) == (passes, 10)
            assert (rate.low, rate.high) == wilson(passes, 10)
    whole = found["expert", ALL_STAGES]
    assert (whole.passed.passed, whole.passed.n) == (17, 20)
    assert whole.stages == ("convert", "classify")
    assert whole.pass_at[1].value == pytest.approx(0.85)
    assert whole.pass_at[3].value == pytest.approx((1 + unbiased(3, 7, 10)) / 2)
    assert max(whole.pass_at) == 10
    assert {k: (r.passed, r.n) for k, r in found["novice", "all"].errors.by_category.items()} == {
        "incorrect branch name": (18, 18)
    }
    assert whole.scripted


def test_a_rung_counts_the_higher_ones() -> None:
    rungs = ["exact", "exact", "permutation", "statistical", "physics"]
    cells = tuple(made_cell(trial=t, rung=r) for t, r in enumerate(rungs))
    found = only((*cells, failed_cell(trial=5)))
    assert {rung: rate.passed for rung, rate in found.success.items()} == {
        "exact": 2, "permutation": 3, "statistical": 4, "physics": 5
    }  # fmt: skip
    assert all(rate.n == 6 for rate in found.success.values())
    assert found.passed == found.success["physics"]


def test_what_is_not_the_models_is_apart_and_in_no_rate() -> None:
    cells = (
        *outcomes([T, F, T]),
        failed_cell(attribution="harness", trial=3),
        failed_cell(attribution="endpoint", trial=4),
        failed_cell(attribution="endpoint", trial=5),
        made_cell(outcome="missing", rung=None, trial=6),
        made_cell(outcome="missing", rung=None, trial=7,
                  failure=failed_cell(attribution="infrastructure").failure),
        made_cell(outcome="not_reached", rung=None, trial=8),
        made_cell(outcome="not_reached", rung=None, trial=9,
                  failure=failed_cell(attribution="data").failure),
    )  # fmt: skip
    found = only(cells)
    assert (found.cells, found.rated, found.missing, found.not_reached) == (10, 3, 1, 1)
    assert found.not_rated == {"data": 1, "endpoint": 2, "harness": 1, "infrastructure": 1}
    assert (found.passed.passed, found.passed.n) == (2, 3)
    assert found.end_to_end["physics"].n == 4  # the one that its own failure kept from it
    assert {k: r.passed for k, r in found.errors.by_attribution.items()} == {
        "endpoint": 2, "data": 1, "harness": 1, "infrastructure": 1, "model": 1
    }  # fmt: skip
    assert found.spending.api_calls.n == 3


@given(
    st.lists(
        st.sampled_from(["passed", "failed", "harness", "missing", "not_reached", "reference"]),
        min_size=1,
        max_size=30,
    )
)
def test_every_cell_is_counted_once(kinds: list[str]) -> None:
    made = {
        "passed": made_cell(),
        "failed": failed_cell(),
        "harness": failed_cell(attribution="harness"),
        "missing": made_cell(outcome="missing", rung=None),
        "not_reached": made_cell(outcome="not_reached", rung=None),
        "reference": made_cell(outcome="reference", rung=None),
    }
    found = only(tuple(made[kind] for kind in kinds))
    apart = found.not_reached + found.missing + found.reference + sum(found.not_rated.values())
    assert found.rated + apart == found.cells == len(kinds)
    ladder = [found.success[rung].passed for rung in RUNGS]
    assert ladder == sorted(ladder)
    json.loads(to_json(found.to_json()))


def test_conditional_and_unconditional_rates_of_a_chain() -> None:
    """Ten trials: 6 come through convert, 3 of these through classify."""
    convert = outcomes([T] * 6 + [F] * 4)
    classify = [
        made_cell(stage="classify", trial=t) if t < 3
        else failed_cell(stage="classify", trial=t) if t < 6
        else made_cell(stage="classify", trial=t, outcome="not_reached", rung=None)
        for t in range(10)
    ]  # fmt: skip
    _, _, last = measures((*convert, *classify))
    assert (last.passed.value, last.passed.n) == (0.5, 6)
    assert (last.end_to_end["exact"].value, last.end_to_end["exact"].n) == (0.3, 10)


def test_errors_count_the_cause_where_the_loop_gave_up() -> None:
    found = only(
        (
            failed_cell("no progress", cause="incorrect branch name"),
            failed_cell("incorrect branch name"),
            failed_cell("units"),
            failed_cell("limit", cause="units"),  # it ran out of calls: that is what it was
            made_cell(),
        )
    ).errors
    assert {k: (r.passed, r.n) for k, r in found.by_category.items()} == {
        "incorrect branch name": (2, 4), "limit": (1, 4), "units": (1, 4)
    }  # fmt: skip
    assert {k: r.passed for k, r in found.by_study.items()} == {
        "incorrect branch name": 2, "other": 1, "semantic error": 1
    }  # fmt: skip


def test_what_was_spent() -> None:
    cells = (
        made_cell(trial=0, api_calls=3, calls_lost=0, prompt_tokens=100, completion_tokens=20),
        made_cell(trial=1, api_calls=5, calls_lost=2, prompt_tokens=200, completion_tokens=40),
        failed_cell(trial=2, api_calls=8, calls_lost=8, prompt_tokens=300, completion_tokens=60),
    )
    spent = only(cells).spending
    assert (spent.tokens.value, spent.tokens.total, spent.tokens.n) == (240.0, 720.0, 3)
    assert spent.calls_lost.value == pytest.approx(10 / 16)
    assert spent.per_pass["tokens"].value == pytest.approx(360.0)
    assert spent.wall_s.value == pytest.approx(12.0)
    assert (spent.gpu_s.value, spent.energy_j.value, spent.cost.value) == (None, None, None)
    assert spent.cost_basis == ""


def test_costs_say_where_they_come_from() -> None:
    recorded = (made_cell(cost=0.2), made_cell(cost=0.4, trial=1))
    by_gpu = (made_cell(gpu_s=1800.0), made_cell(gpu_s=3600.0, trial=1))
    dates = {"m": "2026-11-01"}
    found = only(recorded, Pricing(dates=dates)).spending
    assert found.cost.value == pytest.approx(0.3)
    assert found.cost_basis == "prices of the model's configuration (2026-11-01)"
    assert "no date" in only(recorded).spending.cost_basis
    assert only(by_gpu).spending.cost.value is None
    found = only(by_gpu, Pricing({"m": 4.0}, dates)).spending
    assert (found.cost.value, found.cost_basis) == (3.0, "GPU-hours at 4 each (2026-11-01)")


def test_repeatability_by_hand() -> None:
    same = {"code_sha256": "1", "output_sha256": "1"}
    cells = (
        made_cell(trial=0, **same),
        made_cell(trial=1, shared=True, **same),
        made_cell(trial=2, code_sha256="2", output_sha256="1", rung="physics"),
        made_cell(trial=3, code_sha256="3", output_sha256="3", rung="statistical"),
        failed_cell(trial=4, code_sha256=None, output_sha256=None),
        failed_cell(trial=5, code_sha256=None, output_sha256=None),
        failed_cell(trial=6, attribution="harness", **same),
    )
    found = only(cells).repeatability
    assert (found.code.agree, found.output.agree, found.ladder.agree) == (1, 3, 5)
    assert found.code.pairs == found.output.pairs == found.ladder.pairs == 15
    assert (found.shared, found.by_construction) == (1, 1)
    assert (found.output.low, found.output.high) == wilson(0.2 * 3, 3)


def test_repeatability_compares_no_two_stages() -> None:
    cells = (made_cell(stage="convert"), made_cell(stage="classify"))
    whole, *_ = measures(cells)
    assert (whole.repeatability.output.pairs, whole.repeatability.output.value) == (0, None)


def test_distances_from_the_reference() -> None:
    right = {"mu": 2.0}
    cells = (
        made_cell(trial=0, quantities={"mu": 2.5}, reference=right),
        failed_cell(trial=1, quantities={"mu": 1.0}, reference=right),
        made_cell(trial=2, quantities={"mu": 0.3}, reference={"mu": 0.0}),
        failed_cell(trial=3, reference=right),
    )
    found = only(cells).distances["mu"]
    assert (found.absolute.n, found.relative.n, found.largest) == (3, 2, -1.0)
    assert found.absolute.value == pytest.approx((0.5 - 1.0 + 0.3) / 3)
    assert found.relative.value == pytest.approx((0.25 - 0.5) / 2)


def test_hints() -> None:
    cells = tuple(made_cell(trial=t, hint_violations=v) for t, v in enumerate([0, 0, 3, 1]))
    found = only(cells)
    assert (found.hint_violations.value, found.against_hints.value) == (1.0, 0.5)
