"""The model that the settings mean: a script, a recording, or one behind an endpoint."""

from __future__ import annotations

import hashlib
from pathlib import Path

from agents.chat import ChatModel
from agents.limits import Limits, Prices
from agents.model import EndpointModel, ModelSpec
from agents.scripted import ScriptedModel
from pipeline.agent_settings import ModelSettings
from pipeline.scripted.scripts import folders
from pipeline.scripted.skill import script_of
from pipeline.settings import Settings

SLOTS = "slots"
"""Folder of a run in which its processes keep an endpoint's concurrency together."""


def is_served(settings: Settings) -> bool:
    """Whether Ladon has to find or start a server of the model itself."""
    return settings.model.provider == "endpoint" and not settings.model.base_url


def model_of(settings: Settings, stage: str) -> ChatModel:
    """The script, or the endpoint's client, that the settings mean for a stage.

    Raises what the model's own room raises, e.g. ModelSpecError. Recordings belong to a stage and
    not to the settings (`agents.replay`).
    """
    model = settings.model
    if model.provider == "scripted":
        return _scripted(settings, stage)
    return EndpointModel(spec_of(model, settings.seed), slot_folder=Path(SLOTS))


def _scripted(settings: Settings, stage: str) -> ScriptedModel:
    """The script that is named, or the one that its skill draws for this stage and trial."""
    named = str(settings.model.script)
    script = script_of(named, stage, seed_of(settings))
    found = folders(script, settings.channel.name, settings.data.release)
    if script == named:
        return ScriptedModel(found, f"scripted:{named}")
    return ScriptedModel(found, f"scripted:{named}/{script}", {"skill": named, "variant": script})


def spec_of(model: ModelSettings, seed: int) -> ModelSpec:
    """The endpoint's description; ModelSpecError where it makes no sense."""
    return ModelSpec(
        name=str(model.repository),
        base_url=str(model.base_url),
        revision=model.revision,
        api_key_file=model.api_key_file,
        api_key_env=model.api_key_env,
        temperature=model.temperature,
        top_p=model.top_p,
        max_tokens=model.max_tokens,
        seed=seed,
        stop=model.stop,
        response_format=model.response_format,
        extra=model.extra,
        timeout_s=model.timeout_s,
        max_retries=model.max_retries,
        concurrency=model.concurrency,
    )


def seed_of(settings: Settings) -> int:
    """Seed of every call of a stage; another one for each trial, 0 to 2³¹ - 1."""
    return trial_seed(settings.seed, settings.trial)


def trial_seed(seed: int, trial: int) -> int:
    """The same from the two numbers alone."""
    digest = hashlib.sha256(f"{seed}/{trial}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def limits_of(settings: Settings) -> Limits:
    """What one stage may spend."""
    solver, prices = settings.solver, settings.model.prices
    return Limits(
        max_rounds=solver.max_rounds,
        max_calls=solver.max_calls,
        max_tokens=solver.max_tokens,
        max_wall_s=solver.max_wall_s,
        max_cost=solver.max_cost,
        prices=Prices(prices.per_million_prompt, prices.per_million_completion, prices.per_hour),
    )
