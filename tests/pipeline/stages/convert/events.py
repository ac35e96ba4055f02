"""Events made by hand: what is not said of one has a default."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import awkward as ak
import numpy as np

from pipeline.configure import configure
from pipeline.stages.convert.contract import CONTRACT, Converted, reference_path
from pipeline.stages.solution import load_solution

DATA_RUN = 280000
_NUMBERS = {
    "runNumber": DATA_RUN, "channelNumber": DATA_RUN, "mcWeight": 1.0, "xsec": 0.0, "filteff": 0.0,
    "kfac": 0.0, "sum_of_weights": 1.0, "met": 20.0, "met_phi": 0.5,
}  # fmt: skip
_INTEGERS = ("runNumber", "eventNumber", "channelNumber", "lep_type", "lep_charge")
_PHOTON = {
    "pt": 60.0, "eta": 0.0, "phi": 0.0, "e": None, "isTightID": True, "ptcone20": 0.0,
    "ptcone30": 0.0, "etcone20": 0.0, "isLooseID": True, "isClean": True,
}  # fmt: skip
_LEPTON = {
    "pt": 30.0, "eta": 0.0, "phi": 0.0, "e": None, "type": 11, "charge": 1, "isTrigMatched": True,
    "isMediumID": True, "isLooseID": True, "isLooseIso": True, "ptcone30": 0.0, "etcone20": 0.0,
}  # fmt: skip
_JET = {"pt": 40.0, "eta": 0.0, "phi": 0.0, "btag": False, "jvt": True}
_OBJECTS = {"photon": _PHOTON, "lep": _LEPTON, "jet": _JET}

Object = dict[str, Any]


def back_to_back(**changed: Any) -> list[Object]:
    """Two photons of 62.5 GeV, one against the other: a mass of 125 GeV."""
    first, second = {"pt": 62.5, "phi": 0.0}, {"pt": 62.5, "phi": np.pi}
    return [{**first, **changed}, {**second, **changed}]


def solution(channel: str, data: str) -> ModuleType:
    """Our solution for a channel and a release (by its year)."""
    chosen = configure([f"channel={channel}", f"data=opendata_{data}", "data.location=x"])
    return load_solution(reference_path(chosen), CONTRACT.defines)


def record_of(branches: Sequence[str], events: Sequence[Object]) -> ak.Array:
    """A record array with `branches`; lists of objects are given as photon=, lep= and jet=."""
    content = {}
    for name in branches:
        prefix, _, quantity = name.partition("_")
        if prefix in _OBJECTS and quantity:
            rows = [[_value(prefix, quantity, o) for o in e.get(prefix, [])] for e in events]
            kind = np.int32 if name in _INTEGERS else np.float32
            if quantity.startswith("is") or quantity in ("btag", "jvt"):
                kind = np.bool_
            counts = [len(row) for row in rows]
            flat = np.array([v for row in rows for v in row], dtype=kind)
            content[name] = ak.unflatten(flat, np.array(counts, dtype=np.int64))
        elif name.startswith(("trig", "pass", "has")):
            content[name] = ak.Array(np.array([e.get(name, True) for e in events], dtype=bool))
        else:
            default = 1.0 if name.startswith("ScaleFactor_") else _NUMBERS.get(name)
            values = [
                e.get(name, i + 1 if name == "eventNumber" else default)
                for i, e in enumerate(events)
            ]
            content[name] = ak.Array(
                np.array(values, dtype=np.int64 if name in _INTEGERS else np.float32)
            )
    return ak.zip(content, depth_limit=1)


def convert(channel: str, data: str, events: Sequence[Object]) -> Converted:
    """Our solution on these events, accepted by the contract."""
    module = solution(channel, data)
    arguments = {"events": record_of(module.BRANCHES, events), "channel": channel}
    return CONTRACT.accept(CONTRACT.call(module, arguments), arguments)


def _value(prefix: str, quantity: str, given: Object) -> Any:
    if quantity == "e" and given.get("e") is None:  # massless
        defaults = _OBJECTS[prefix]
        return given.get("pt", defaults["pt"]) * np.cosh(given.get("eta", defaults["eta"]))
    return given.get(quantity, _OBJECTS[prefix][quantity])
