"""The contract of measure: mass spectra per category in, the measurement out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import numpy as np
import pandas as pd

from pipeline.files import read_json, write_json
from pipeline.physics.arrays import Floats, floats
from pipeline.physics.regions import inside, inside_any
from pipeline.physics.significance import category_index
from pipeline.settings import Settings
from pipeline.stages.categorize.contract import CATEGORIES_FILE
from pipeline.stages.contract import ContractError, StageContext
from pipeline.stages.measure.asimov import expected_counts
from pipeline.stages.samples import SAMPLES_FILE, cannot_measure
from pipeline.stages.tables import read_tables

MEASUREMENT_FILE = "measurement.json"
SCHEMA = Path(__file__).with_name("measurement.schema.json")
BIN_WIDTH = {"functions": 0.5, "template": 2.5}
"""GeV. Fine against the resolution for a smooth background; coarse where a histogram of few
simulated events is the background."""
TEMPLATE_UNCERTAINTY = 0.1
"""Relative, on the yield of a simulated background: missing higher orders and efficiencies."""
INCLUSIVE = "inclusive"
WEIGHTS = ("weight", "control_weight")


class MeasureContract:
    """`measure(categories, model) -> dict`."""

    stage = "measure"
    defines: Mapping[str, tuple[str, ...] | None] = {"measure": ("categories", "model")}

    def arguments(self, context: StageContext) -> dict[str, Any]:
        """Masses and weights per category, and what the fit must know beyond them.

        Without the blinded events the data are Asimov data (expected from sidebands and
        simulation); in the sealed pass, or with `unblind`, they are the data.
        """
        real = context.sealed or context.settings.unblind
        model = _model(context, "data" if real else "asimov")
        categories = []
        for name, tables in _by_category(context):
            data = _masses(tables["data"], model)
            sidebands = data[inside_any(data, [(low, high) for low, high in model["sidebands"]])]
            shape = pd.concat([tables["background"], tables["control"]], ignore_index=True)
            category: dict[str, Any] = {
                "name": name,
                "sidebands": sidebands,
                "signal": _weighted(tables["signal"], "weight", model),
                "background": _weighted(shape, "control_weight", model),
            }
            category["data"] = data if real else expected_counts(category, model, sidebands)
            categories.append(category)
        return {"categories": categories, "model": model}

    def call(self, solution: ModuleType, arguments: Mapping[str, Any]) -> Any:
        """Call `solution.measure`."""
        return solution.measure(arguments["categories"], arguments["model"])

    def accept(self, result: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The measurement in plain numbers; ContractError where it is not what was asked for."""
        plain = _plain(result, "measurement")
        validator = jsonschema.Draft202012Validator(read_json(SCHEMA))
        fault = jsonschema.exceptions.best_match(validator.iter_errors(plain))
        if fault is not None:
            raise ContractError(
                f"expected the measurement of the task at {fault.json_path}, found: "
                f"{fault.message[:300]}"
            )
        wanted = [category["name"] for category in arguments["categories"]]
        found = [category["name"] for category in plain["categories"]]
        if found != wanted:
            raise ContractError(f"expected the categories {wanted!r}, found {found!r}")
        _check_lengths(plain)
        accepted: dict[str, Any] = plain
        return accepted

    def write(self, product: Mapping[str, Any], folder: Path) -> None:
        """Keep `measurement.json`."""
        write_json(folder / MEASUREMENT_FILE, product)

    def read(self, folder: Path) -> dict[str, Any]:
        """What `write` kept."""
        content: dict[str, Any] = read_json(folder / MEASUREMENT_FILE)
        return content


def _source(context: StageContext) -> str:
    return "classify" if "classify" in context.upstream else "preprocess"


def _by_category(context: StageContext) -> list[tuple[str, dict[str, pd.DataFrame]]]:
    """Category name and its four tables; one category where the channel has no classifier."""
    read = (context.settings.channel.observable, *WEIGHTS, "score")
    tables = read_tables(context.folder(_source(context)), columns=read)
    if "categorize" not in context.upstream:
        return [(INCLUSIVE, tables)]
    made = read_json(context.upstream["categorize"] / "output" / CATEGORIES_FILE)
    index = {
        name: category_index(table["score"].to_numpy(), made["boundaries"])
        for name, table in tables.items()
    }
    return [
        (category["name"], {name: table[index[name] == k] for name, table in tables.items()})
        for k, category in enumerate(made["categories"])
    ]


def _masses(table: pd.DataFrame, model: Mapping[str, Any]) -> Floats:
    mass = table[model["observable"]].to_numpy(dtype=np.float64)
    kept = inside(mass, (model["fit_range"][0], model["fit_range"][1]))
    return floats(mass[kept])


def _weighted(table: pd.DataFrame, weight: str, model: Mapping[str, Any]) -> dict[str, Floats]:
    mass = table[model["observable"]].to_numpy(dtype=np.float64)
    kept = inside(mass, (model["fit_range"][0], model["fit_range"][1]))
    return {"mass": mass[kept], "weight": table[weight].to_numpy(dtype=np.float64)[kept]}


def _samples(context: StageContext) -> dict[str, Any]:
    content: dict[str, Any] = read_json(context.upstream["preprocess"] / "output" / SAMPLES_FILE)
    return content


def _model(context: StageContext, data_kind: str) -> dict[str, Any]:
    signals = [s for s in _samples(context).values() if s["role"] == "signal" and s["kind"] == "mc"]
    cross_sections = [s["xsec_pb"] * s["filter_efficiency"] * s["k_factor"] for s in signals]
    return {
        **_facts(context.settings),
        "sm_cross_section_pb": math.fsum(cross_sections),
        "data_kind": data_kind,
        "seed": context.settings.seed,
    }


def _facts(settings: Settings) -> dict[str, Any]:
    channel, measure = settings.channel, settings.channel.measure
    return {
        "channel": channel.name,
        "observable": channel.observable,
        "fit_range": list(channel.fit_range),
        "sidebands": [list(sideband) for sideband in channel.sidebands],
        "signal_window": list(channel.signal_window),
        "blind": list(channel.blind),
        "bin_width": BIN_WIDTH[measure.background],
        "signal_mass": measure.signal_mass,
        "luminosity_fb": settings.data.luminosity,
        "luminosity_uncertainty": measure.luminosity_uncertainty,
        "shape_uncertainties": {
            "scale": measure.scale_uncertainty,
            "resolution": measure.resolution_uncertainty,
        },
        "background": measure.background,
        "background_uncertainty": TEMPLATE_UNCERTAINTY,
    }


def task_variables(settings: Settings) -> dict[str, Any]:
    """What `task.md` needs: the facts of `model` that do not depend on the samples."""
    facts = _facts(settings)
    shape = facts.pop("shape_uncertainties")
    return {
        **facts,
        "scale_uncertainty": shape["scale"],
        "resolution_uncertainty": shape["resolution"],
    }


def blocked(context: StageContext) -> str | None:
    """Why there can be no measurement, or None."""
    settings = context.settings
    template = settings.channel.measure.background == "template"
    reason = cannot_measure(_samples(context), needs_background=template)
    if reason is not None:
        return reason
    read = (settings.channel.observable, "weight")
    tables = read_tables(context.folder(_source(context)), ("signal", "data"), read)
    facts = _facts(settings)
    expected = float(_weighted(tables["signal"], "weight", facts)["weight"].sum())
    if expected <= 0:
        return (
            f"the simulated signal adds up to {expected:g} events in the fit range; a positive "
            "number is needed to measure a signal strength"
        )
    masses = _masses(tables["data"], facts)
    if not template and not inside_any(masses, settings.channel.sidebands).any():
        return "no data event in the sidebands; the background cannot be fitted"
    return None


def _plain(value: Any, where: str) -> Any:
    """`value` in JSON's own types; ContractError at a number that is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist(), where)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item, f"{where}[{k}]") for k, item in enumerate(value)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise ContractError(f"expected a finite number at {where}, found {value!r}")
    return value


def _check_lengths(measurement: Mapping[str, Any]) -> None:
    """Numbers that belong together must be as many, errors have their sign, μ lies in between."""
    rows = len(measurement["correlation"]["names"])
    matrix = measurement["correlation"]["matrix"]
    lists = {"correlation.matrix": [[None] * rows, *matrix, matrix]}
    lists["profile"] = list(measurement["profile"].values())
    for k, category in enumerate(measurement["categories"]):
        lists[f"categories[{k}].curve"] = list(category["curve"].values())
    for where, group in lists.items():
        lengths = [len(one) for one in group]
        if len(set(lengths)) > 1:
            raise ContractError(f"expected lists of one length at {where}, found {lengths!r}")
    low, high = measurement["mu_interval_95"]
    if not low <= measurement["mu"] <= high:
        raise ContractError(
            f"expected mu inside its 95 % interval, found {measurement['mu']!r} and "
            f"[{low!r}, {high!r}]"
        )


CONTRACT = MeasureContract()
