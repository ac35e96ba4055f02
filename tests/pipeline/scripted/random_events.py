"""Random events with everything that the selections look at, and the corners where they differ."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from pipeline.settings import Settings
from pipeline.stages.convert.contract import task_variables
from tests.pipeline.stages.convert.events import DATA_RUN, record_of

ETAS = [-2.6, -2.37, -1.52, -1.37, 0.0, 0.3, 1.2, 1.37, 1.45, 1.52, 2.2, 2.37]
"""The edges of the crack and of the tracker are among them."""


def random_events(settings: Settings, number: int, seed: int) -> ak.Array:
    """`number` events with every variable of the release; half of them simulated."""
    rng = np.random.default_rng(seed)
    names = [field.name for field in task_variables(settings)["variables"]]
    known = [n for n in names if n.partition("_")[0] in ("photon", "lep", "jet")]
    flat = [n for n in names if n.startswith(("ScaleFactor_", "trig"))]
    own = ["runNumber", "eventNumber", "channelNumber", "mcWeight", "xsec", "filteff", "kfac",
           "sum_of_weights", "met", "met_phi"]  # fmt: skip
    branches = [n for n in [*own, *flat, *known] if n in names and _made(n)]
    return record_of(branches, [_event(rng, flat) for _ in range(number)])


def _made(name: str) -> bool:
    prefix, _, quantity = name.partition("_")
    objects = {
        "photon": ("pt", "eta", "phi", "e", "isTightID", "ptcone20", "ptcone30", "etcone20"),
        "lep": ("pt", "eta", "phi", "e", "type", "charge", "isTrigMatched", "isMediumID",
                "isLooseID", "isLooseIso"),
        "jet": ("pt", "eta", "phi", "btag"),
    }  # fmt: skip
    return quantity in objects.get(prefix, (quantity,))


def _event(rng: np.random.Generator, flat: list[str]) -> dict[str, Any]:
    simulated = bool(rng.random() < 0.5)
    factors = {n: rng.uniform(0.9, 1.1) for n in flat if n.startswith("ScaleFactor_")}
    triggers = {n: bool(rng.random() < 0.8) for n in flat if n.startswith("trig")}
    return {
        **factors,
        **triggers,
        "channelNumber": 345318 if simulated else DATA_RUN,
        "mcWeight": rng.normal(1.0, 2.0),
        "xsec": 0.3,
        "filteff": 0.5,
        "kfac": 1.1,
        "sum_of_weights": 1234.5,
        "met": rng.exponential(30.0),
        "photon": _objects(rng, int(rng.integers(0, 5)), _photon),
        "lep": _objects(rng, int(rng.choice([0, 1, 2, 4, 4, 4, 4, 5])), _lepton),
        "jet": _objects(rng, int(rng.integers(0, 9)), _jet),
    }


def _objects(rng: np.random.Generator, number: int, kind: Any) -> list[dict[str, Any]]:
    made = [
        {"pt": float(rng.choice([9.0, 22.0, 26.0, 35.0, 52.0, 70.0, 90.0, 140.0])),
         "eta": float(rng.choice(ETAS)), "phi": rng.uniform(-np.pi, np.pi), **kind(rng)}
        for _ in range(number)
    ]  # fmt: skip
    return made if rng.random() < 0.1 else sorted(made, key=lambda o: -o["pt"])


def _photon(rng: np.random.Generator) -> dict[str, Any]:
    cones = {name: rng.exponential(2.0) - 0.5 for name in ("ptcone20", "ptcone30", "etcone20")}
    return {**cones, "isTightID": bool(rng.random() < 0.7), "e": _energy(rng)}


def _lepton(rng: np.random.Generator) -> dict[str, Any]:
    flags = ("isTrigMatched", "isMediumID", "isLooseID", "isLooseIso")
    return {
        **{name: bool(rng.random() < 0.95) for name in flags},
        "type": int(rng.choice([11, 13])),
        "charge": int(rng.choice([-1, 1])),
        "e": _energy(rng),
    }


def _jet(rng: np.random.Generator) -> dict[str, Any]:
    return {"btag": bool(rng.random() < 0.3)}


def _energy(rng: np.random.Generator) -> float | None:
    """Now and then too small for the momentum, so that a mass squared is negative."""
    return 20.0 if rng.random() < 0.05 else None
