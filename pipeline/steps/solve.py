"""Step: have the solution of one stage written, and freeze it under its hash."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.chat import ChatModel
from agents.loop import solve
from agents.model import EndpointModel
from agents.outcome import Outcome
from agents.replay import ReplayModel
from agents.slots import EndpointSlots
from pipeline.bench import StageBench
from pipeline.controller import began
from pipeline.files import read_json, sha256_json
from pipeline.models import SLOTS, is_served, limits_of, model_of, seed_of
from pipeline.serve import pool_inside, pool_of
from pipeline.served_model import ServedModel
from pipeline.settings import Settings
from pipeline.stages.jail import Jail
from pipeline.stages.registry import contract_module
from pipeline.stages.task import task_of
from pipeline.steps.context import Place, why_blocked
from pipeline.steps.errors import run_step
from pipeline.steps.inputs import inputs_of
from pipeline.steps.keeping import DIALOGUES, NO_ATTEMPTS, keep
from pipeline.steps.kept_tries import KeptTries

REPLAY = Path("replay.json")
"""In a run that replays another: where that one is."""


def main() -> None:
    """Write solution.py, trajectory.jsonl and attempts.json of one stage of one owner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--owner", required=True)
    parser.add_argument("--stage", required=True)
    given = parser.parse_args()
    place = Place.at(given.owner, given.stage)
    reason = _why_not_asked(place)
    if reason is not None:
        keep(place, None, {**NO_ATTEMPTS, "solver": "agent", "notes": [f"not asked: {reason}"]})
        return
    outcome = _ask(place)
    keep(place, outcome.code, outcome.to_attempts())


def _why_not_asked(place: Place) -> str | None:
    """Why there is nothing to have written: a stage before failed, or the data are incomplete."""
    held_up = place.held_up()
    if held_up is not None:
        return str(held_up["reason"])
    return why_blocked(contract_module(place.stage), place.context(sealed=False))


def _ask(place: Place) -> Outcome:
    """The supervisor and the coder at work; what was said before a kill is not said again."""
    settings = place.settings()
    task = task_of(place.stage, settings, _summaries(place))
    jail = Jail.of(settings, trial=True)
    bench = StageBench(place.stage, place.context(sealed=False), jail, _turns(place, settings))
    limits = asdict(settings.site.limits)
    kept = KeptTries(bench, sha256_json([inputs_of(place), settings.site.sandbox, limits]))
    model = _model(place, settings)
    dialogue = DIALOGUES / place.owner / f"{place.stage}.jsonl"
    dialogue.parent.mkdir(parents=True, exist_ok=True)
    try:
        return solve(
            task, kept, model, dialogue, limits=limits_of(settings), seed=seed_of(settings)
        )
    finally:
        if isinstance(model, EndpointModel | ServedModel):
            model.close()


def _turns(place: Place, settings: Settings) -> EndpointSlots | None:
    """Where dialogues that wait for an endpoint are many on one machine, their tries take turns."""
    if settings.site.scheduler != "none" or place.plan.endpoint is None:
        return None
    return EndpointSlots("tries", settings.site.cores, Path(SLOTS))


def _model(place: Place, settings: Settings) -> ChatModel:
    """Who answers: a recording, a script, an endpoint, or a server that is found or started."""
    recorded = _recorded(place)
    if recorded is not None:
        return ReplayModel(recorded)
    if not is_served(settings):
        return model_of(settings, place.stage)
    outputs = Path.cwd().parent
    inside = settings.site.container is not None
    pool = pool_inside(outputs) if inside else pool_of(settings, outputs)
    user = f"{place.owner.partition('/')[2]}/{place.stage}"
    return ServedModel(settings, pool, user, began(Path.cwd()), _say)


def _say(text: str) -> None:
    """Into the log of the step."""
    print(f"ladon: {text}", flush=True)


def _recorded(place: Place) -> Path | None:
    """The trajectory whose replies are given again, where this run replays another."""
    model = place.settings().model
    run = Path(read_json(REPLAY)["from"]) if REPLAY.exists() else None
    if run is None and model.provider == "replay":
        run = Path(str(model.recorded))
    return None if run is None else run / place.owner / place.stage / "trajectory.jsonl"


def _summaries(place: Place) -> dict[str, Any] | None:
    """What inspect's solution said of the files, for the task of convert."""
    record = Path(place.plan.upstream_owner) / "inspect" / "record.json"
    if place.stage != "convert" or not record.exists() or read_json(record)["status"] != "ok":
        return None
    module = contract_module("inspect")
    summaries: dict[str, Any] = module.CONTRACT.read(record.parent / "output")
    return summaries


if __name__ == "__main__":
    run_step("solve", main)
