"""Run folders become cells: whole ones, partial ones, and ones that are broken."""

import json
import shutil
import time
from pathlib import Path

import pytest

from pipeline.dialogue import read_dialogue
from pipeline.evaluation.cell import CellFailure
from pipeline.evaluation.reading import EvaluationError, read_cells, read_pricing
from pipeline.evaluation.spending import Pricing
from pipeline.files import read_json, write_json
from pipeline.judge.verdict import Verdict
from pipeline.settings import load
from tests.pipeline.evaluation.made import (
    FAILED,
    MISSING,
    NOT_REACHED,
    PASSED,
    UNSOLVED,
    MadePoint,
    MadeStage,
    grid,
    write_sweep,
)


def one(tmp_path: Path, stages: dict[str, MadeStage], **about: object) -> Path:
    return write_sweep(tmp_path / "made", [MadePoint("novice", 3, stages, **about)])  # type: ignore[arg-type]


def test_a_cell_holds_what_the_files_say(tmp_path: Path) -> None:
    made = MadeStage(rung="physics", rounds=2, tokens=(70, 9), hint_violations=2, value=0.7)
    (cell,) = read_cells(one(tmp_path, {"classify": made}))
    assert (cell.point, cell.stage, cell.model, cell.trial) == (
        "novice-t3",
        "classify",
        "novice",
        3,
    )
    assert (cell.outcome, cell.rung, cell.failure, cell.rated) == ("passed", "physics", None, True)
    assert (cell.rounds, cell.api_calls, cell.prompt_tokens, cell.completion_tokens) == (
        2,
        5,
        70,
        9,
    )
    assert (cell.agent_s, cell.execute_s, cell.hint_violations) == (10.0, 2.0, 2)
    assert (cell.quantities, cell.reference) == ({"auc": 0.7}, {"auc": 0.75})
    assert (cell.cost, cell.gpu_s, cell.energy_j, cell.shared) == (None, None, None, False)
    assert cell.setting == ""


@pytest.mark.parametrize(
    ("made", "calls", "lost"),
    [
        (MadeStage(rounds=1), 3, 0),
        (MadeStage(rounds=2), 5, 3),  # an instruction, a module and a review
        (MadeStage(rounds=3), 7, 5),
        (MadeStage(rounds=3, accepted=1), 7, 4),  # accepted by evidence: round 1 was not in vain
        (FAILED, 7, 7),
        (UNSOLVED, 6, 6),
        (NOT_REACHED, 0, 0),
    ],
)
def test_calls_of_rounds_that_were_not_accepted_are_lost(
    tmp_path: Path, made: MadeStage, calls: int, lost: int
) -> None:
    run = one(tmp_path, {"convert": made})
    (cell,) = read_cells(run)
    assert (cell.api_calls, cell.calls_lost) == (calls, lost)
    dialogue = read_dialogue(run / "points" / "novice-t3" / "convert" / "trajectory.jsonl")
    assert dialogue.calls == calls  # the made folder is consistent


def test_the_quantity_of_each_stage(tmp_path: Path) -> None:
    stages = {s: MadeStage(value=2.0) for s in ("convert", "classify", "categorize", "measure")}
    cells = read_cells(one(tmp_path, stages))
    assert [c.quantities for c in cells] == [
        {"selected": 2.0}, {"auc": 2.0}, {"significance": 2.0}, {"mu": 2.0}
    ]  # fmt: skip
    assert [c.reference for c in cells] == [
        {"selected": 1000.0}, {"auc": 0.75}, {"significance": 1.5}, {"mu": 1.0}
    ]  # fmt: skip


def test_an_area_that_is_not_a_number_is_no_quantity(tmp_path: Path) -> None:
    run = one(tmp_path, {"classify": PASSED})
    path = run / "points" / "novice-t3" / "classify" / "verdict.json"
    path.write_text(path.read_text().replace('"found": 0.75', '"found": "nan"'))
    (cell,) = read_cells(run)
    assert (cell.quantities, cell.reference) == ({}, {"auc": 0.75})


def test_the_cause_of_a_loop_that_gave_up(tmp_path: Path) -> None:
    (cell,) = read_cells(one(tmp_path, {"convert": UNSOLVED}))
    assert cell.failure is not None
    assert (cell.failure.category, cell.failure.cause) == ("no progress", "incorrect branch name")
    assert (cell.rated, cell.code_sha256, cell.output_sha256) == (True, None, None)


def test_the_setting_is_what_varies_besides_model_stages_and_trial(tmp_path: Path) -> None:
    chosen = [
        {"chain": "isolated", "seed": "1", "stages": "x"},
        {"chain": "chained", "seed": "1", "stages": "y"},
        {"chain": "chained", "seed": "1", "t": "0.7"},
    ]
    points = [MadePoint("a", 0, {"convert": PASSED}, choices=c) for c in chosen]
    cells = read_cells(write_sweep(tmp_path / "run", points))
    assert [c.setting for c in cells] == ["chain=isolated", "chain=chained", "chain=chained, t=0.7"]
    assert cells[0].config == "a · chain=isolated"


def test_a_partial_sweep_has_missing_cells(tmp_path: Path) -> None:
    run = one(tmp_path, {"inspect": PASSED, "convert": MISSING, "preprocess": PASSED})
    (run / "points" / "novice-t3" / "preprocess" / "verdict.json").unlink()
    cells = read_cells(run)
    assert [c.outcome for c in cells] == ["passed", "missing", "missing"]
    assert [c.api_calls for c in cells] == [3, 0, 3]
    assert [c.calls_lost for c in cells] == [0, 0, 0]
    shutil.rmtree(run / "points")
    assert [(c.model, c.trial, c.outcome) for c in read_cells(run)] == [
        ("novice", 3, "missing")
    ] * 3


def test_a_step_that_ended_in_an_error_is_not_the_models(tmp_path: Path) -> None:
    run = one(tmp_path, {"convert": MISSING, "preprocess": NOT_REACHED, "classify": MISSING})
    told = {"step": "solve", "sentence": "no reply", "attribution": "endpoint", "category": None}
    write_json(run / "logs" / "errors" / "solve-points-novice-t3-convert.json", told)
    told = {"step": "judge", "sentence": "a bug", "attribution": None, "category": None}
    write_json(run / "logs" / "errors" / "judge-novice-t3-classify.json", told)
    first, second, third = read_cells(run)
    assert first.failure == CellFailure("endpoint error", "endpoint error", "endpoint", "no reply")
    assert second.failure is not None
    assert (second.failure.attribution, second.rated) == ("endpoint", False)
    assert third.failure is not None
    assert third.failure.attribution == "harness"


def test_a_dialogue_that_stopped_at_a_fault_tells_whose_it_was(tmp_path: Path) -> None:
    run = one(tmp_path, {"convert": MISSING, "inspect": MISSING})
    fault = {"kind": "fault", "error": "EndpointError", "message": "HTTP 503",
             "attribution": "endpoint", "circumstances": {}}  # fmt: skip
    reply = {"kind": "reply", "text": "x" * 70_000, "circumstances": {}}
    folder = run / "dialogues" / "points" / "novice-t3"
    folder.mkdir(parents=True)
    (folder / "convert.jsonl").write_text(json.dumps(reply) + "\n" + json.dumps(fault) + "\n")
    (folder / "inspect.jsonl").write_text(json.dumps(fault) + "\n" + json.dumps(reply) + "\n")
    waiting, answered = read_cells(run)
    assert waiting.failure is not None
    assert (waiting.failure.attribution, waiting.failure.evidence) == ("endpoint", "HTTP 503")
    assert answered.failure is None  # it went on after the fault


def test_not_reached_after_the_models_failure_has_no_other_cause(tmp_path: Path) -> None:
    _, second = read_cells(one(tmp_path, {"convert": UNSOLVED, "preprocess": NOT_REACHED}))
    assert (second.outcome, second.failure) == ("not_reached", None)


def test_incomplete_data_are_nobodys_failure(tmp_path: Path) -> None:
    run = one(tmp_path, {"measure": NOT_REACHED})
    path = run / "points" / "novice-t3" / "measure" / "record.json"
    write_json(path, {**read_json(path), "status": "blocked", "reason": "no signal"})
    (cell,) = read_cells(run)
    assert cell.failure == CellFailure("bad input", "bad input", "data", "no signal")


def test_prices_and_their_date(tmp_path: Path) -> None:
    prices = {"per_million_prompt": 2.0, "as_of": "2026-11-01"}
    run = one(tmp_path, {"convert": MadeStage(cost=0.5)}, prices=prices)
    assert read_cells(run)[0].cost == 0.5
    assert read_pricing(run) == Pricing({}, {"novice": "2026-11-01"})
    prices = {"per_gpu_hour": 2.5, "as_of": "2026-11-01"}
    run = one(tmp_path, {"convert": MadeStage(cost=0.5)}, prices=prices)
    assert read_cells(run)[0].cost is None  # nothing that was counted while it ran
    assert read_pricing(run) == Pricing({"novice": 2.5}, {"novice": "2026-11-01"})


def test_energy_is_shared_by_the_gpu_seconds_of_each_server(tmp_path: Path) -> None:
    points = [MadePoint(m, 0, {"convert": PASSED}) for m in ("a", "b", "c")]
    servers = [
        {"energy_j": 1000.0, "gpu_seconds": {"": 60.0, "a-t0/convert": 40.0},
         "gpu_seconds_all": 200.0},
        {"energy_j": 90.0, "gpu_seconds": {"b-t0/convert": 30.0}, "gpu_seconds_all": 30.0},
        {"energy_j": None, "gpu_seconds": {"c-t0/convert": 5.0}, "gpu_seconds_all": 5.0},
    ]  # fmt: skip
    seconds = {"": 60.0, "a-t0/convert": 40.0, "b-t0/convert": 30.0, "c-t0/convert": 5.0}
    told = {"gpu_seconds": seconds, "servers": servers}
    cells = read_cells(write_sweep(tmp_path / "run", points, told))
    assert [(c.gpu_s, c.energy_j) for c in cells] == [(40.0, 200.0), (30.0, 90.0), (5.0, None)]


def test_energy_of_servers_that_do_not_tell_whose_seconds(tmp_path: Path) -> None:
    points = [MadePoint("a", 0, {"convert": PASSED})]
    told = {"gpu_seconds": {"": 30.0, "a-t0/convert": 10.0}, "servers": [{"energy_j": 100.0}]}
    (cell,) = read_cells(write_sweep(tmp_path / "run", points, told))
    assert (cell.gpu_s, cell.energy_j) == (10.0, 25.0)


def test_our_own_solutions_are_the_reference(tmp_path: Path) -> None:
    made = MadeStage(outcome="reference", frozen=True)
    (cell,) = read_cells(one(tmp_path, {"convert": made}, solver="reference"))
    assert (cell.model, cell.outcome, cell.rated) == ("reference", "reference", False)
    assert cell.code_sha256 is not None


def test_a_folder_without_a_run_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"expected a run in .*, found no sweep\.json"):
        read_cells(tmp_path)


def test_a_file_that_lacks_a_member_is_named(tmp_path: Path) -> None:
    run = one(tmp_path, {"convert": PASSED})
    write_json(run / "points" / "novice-t3" / "convert" / "verdict.json", {"schema": 1})
    with pytest.raises(EvaluationError, match=r"novice-t3/convert, found one without 'outcome'"):
        read_cells(run)


def test_the_made_folders_are_what_ladon_reads(tmp_path: Path) -> None:
    run = one(tmp_path, {"convert": FAILED, "classify": PASSED})
    assert load(run / "points" / "novice-t3" / "settings.json").model.name == "novice"
    for stage in ("convert", "classify"):
        Verdict.from_json(read_json(run / "points" / "novice-t3" / stage / "verdict.json"))


def test_many_points_are_read_in_seconds(tmp_path: Path) -> None:
    stages = dict.fromkeys(("inspect", "convert", "preprocess", "classify", "categorize"), 50)
    run = write_sweep(tmp_path / "run", grid({"a": stages, "b": stages}, 50))
    began = time.process_time()
    cells = read_cells(run)
    assert len(cells) == 500
    assert time.process_time() - began < 5.0  # of CPU; some 0.3 s on an idle core
