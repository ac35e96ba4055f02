"""The modules of a stage, found by its name: its contract, its trial, our own solution."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from pipeline.settings import Settings
from pipeline.stages.trial import Trial


def contract_module(stage: str) -> ModuleType:
    """The module that holds the contract of a stage."""
    return importlib.import_module(f"pipeline.stages.{stage}.contract")


def trial_of(stage: str) -> Trial:
    """What solutions of a stage are tried on."""
    trial: Trial = importlib.import_module(f"pipeline.stages.{stage}.trial").TRIAL
    return trial


def reference_path(settings: Settings, stage: str) -> Path:
    """File of our own solution of a stage, for these settings."""
    module = contract_module(stage)
    choose = getattr(module, "reference_path", None)
    if choose is not None:
        return Path(choose(settings))
    return Path(str(module.__file__)).with_name("reference.py")
