"""Reading a run folder as cells, however far the run has come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from pipeline.evaluation.cell import Cell, Outcome
from pipeline.evaluation.faults import failure_of, fault_of, inherited
from pipeline.evaluation.quantities import quantities_of
from pipeline.evaluation.spending import Pricing
from pipeline.evaluation.usage import Usage, read_usage
from pipeline.evaluation.work import calls_lost
from pipeline.files import read_json, sha256_json
from pipeline.workflow.layout import Layout, PointPlan

NOT_A_SETTING = ("model", "stages", "trial")
"""Choices of a sweep that a cell has members of its own for."""
REFERENCE = "reference"
RECORDED = ("per_million_prompt", "per_million_completion", "per_hour")
"""Prices that the recorded cost is made with."""


class EvaluationError(ValueError):
    """A run folder, or what is asked of its cells, does not allow an evaluation."""


def read_cells(run: Path) -> tuple[Cell, ...]:
    """All cells of a run, in the order of its points and stages.

    What is not there yet is a cell with the outcome `missing`; no Parquet file is opened.
    Raises EvaluationError if the folder is no run or a file of it lacks what it must hold.
    """
    if not (run / "sweep.json").is_file():
        raise EvaluationError(
            f"expected a run in {run}, found no sweep.json there; start one with `ladon sweep` or "
            "`ladon run`"
        )
    sweep = read_json(run / "sweep.json")
    layout, choices = Layout.from_dict(sweep), sweep.get("choices", {})
    varied = _varied(choices, [plan.name for plan in layout.points])
    usage = read_usage(run)
    cells: list[Cell] = []
    for plan in layout.points:
        chosen = choices.get(plan.name, {})
        setting = ", ".join(f"{key}={chosen[key]}" for key in varied if key in chosen)
        cells += _cells_of(run, plan, chosen, setting, usage)
    return tuple(cells)


def _varied(choices: Mapping[str, Mapping[str, str]], points: list[str]) -> list[str]:
    """The swept keys, other than those of NOT_A_SETTING, that have more than one value."""
    keys = sorted({key for name in points for key in choices.get(name, {})} - set(NOT_A_SETTING))
    return [k for k in keys if len({choices.get(name, {}).get(k) for name in points}) > 1]


def _cells_of(
    run: Path, plan: PointPlan, chosen: Mapping[str, str], setting: str, usage: Usage
) -> Iterator[Cell]:
    """The cells of one point."""
    settings = _optional(run / "points" / plan.name / "settings.json")
    before: list[Cell] = []
    for stage in plan.stages:
        try:
            cell = _cell(run, plan, stage, settings, usage)
        except (KeyError, TypeError, IndexError) as error:
            raise EvaluationError(
                f"expected the files that Ladon writes in {run / 'points' / plan.name / stage}, "
                f"found one without {error}; remove that stage's folder and give the same command "
                "again"
            ) from error
        if plan.solver == REFERENCE:
            model = REFERENCE
        else:
            model = str(chosen.get("model") or settings.get("model", {}).get("name", ""))
        trial = int(settings.get("trial", chosen.get("trial", 0)))
        cell = replace(cell, model=model, setting=setting, trial=trial)
        if cell.outcome == "not_reached":
            cell = replace(cell, failure=cell.failure or inherited(before))
        before.append(cell)
        yield cell


def _cell(
    run: Path, plan: PointPlan, stage: str, settings: Mapping[str, Any], usage: Usage
) -> Cell:
    """One cell; whose it is (model, setting, trial) is filled in by the caller."""
    folder = run / "points" / plan.name / stage
    attempts, record, verdict, timing = (
        _optional(folder / f"{name}.json") for name in ("attempts", "record", "verdict", "timing")
    )
    outcome: Outcome = cast(Outcome, verdict["outcome"]) if verdict else "missing"
    used = usage.of(plan.name, stage)
    tokens = attempts.get("tokens", {"prompt": 0, "completion": 0})
    reference = run / "reference" / plan.reference / stage
    return Cell(
        point=plan.name,
        stage=stage,
        model="",
        setting="",
        trial=0,
        scripted=settings.get("model", {}).get("provider") == "scripted",
        outcome=outcome,
        rung=verdict.get("rung"),
        failure=failure_of(verdict, attempts, record)
        if verdict
        else fault_of(run, plan.name, stage),
        rounds=attempts.get("rounds", 0),
        api_calls=attempts.get("api_calls", 0),
        calls_lost=calls_lost(folder, attempts, outcome),
        prompt_tokens=tokens["prompt"],
        completion_tokens=tokens["completion"],
        agent_s=attempts.get("wall_s", 0.0),
        execute_s=timing.get("wall_s", 0.0),
        cost=_cost(attempts, settings),
        gpu_s=used.gpu_s,
        energy_j=used.energy_j,
        hint_violations=len(attempts.get("hint_violations", ())),
        code_sha256=_code(plan, attempts, record),
        output_sha256=sha256_json(record["files"]) if record.get("files") else None,
        shared=bool(timing.get("taken_over", False)),
        quantities=quantities_of(stage, folder, verdict, "found"),
        reference=quantities_of(stage, reference, verdict, "expected"),
    )


def read_pricing(run: Path) -> Pricing:
    """What the configurations of a run's models say of GPU-hours and of the date of prices."""
    sweep = read_json(run / "sweep.json")
    hours: dict[str, float] = {}
    dates: dict[str, str] = {}
    for point in sweep["points"]:
        model = _optional(run / "points" / point / "settings.json").get("model", {})
        name = sweep.get("choices", {}).get(point, {}).get("model") or model.get("name")
        prices = model.get("prices") or {}
        if name and prices.get("per_gpu_hour"):
            hours[name] = prices["per_gpu_hour"]
        if name and prices.get("as_of"):
            dates[name] = prices["as_of"]
    return Pricing(hours, dates)


def _optional(path: Path) -> dict[str, Any]:
    """The content of a JSON file; nothing if it is not there (yet)."""
    try:
        content: dict[str, Any] = read_json(path)
    except FileNotFoundError:
        return {}
    return content


def _cost(attempts: Mapping[str, Any], settings: Mapping[str, Any]) -> float | None:
    """What was recorded, if the model's configuration has a price at all."""
    prices = settings.get("model", {}).get("prices") or {}
    priced = any(prices.get(key) for key in RECORDED)
    return attempts.get("cost") if priced else None


def _code(plan: PointPlan, attempts: Mapping[str, Any], record: Mapping[str, Any]) -> str | None:
    """Hash of the frozen solution; our own solutions are named by the record alone."""
    if attempts.get("failure") or record.get("status") in ("not_reached", "blocked"):
        return None
    digest: str | None = attempts.get("code_sha256")
    if digest is None and plan.solver == REFERENCE:
        digest = record.get("solution_sha256")
    return digest
