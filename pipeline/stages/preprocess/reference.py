"""Reference solution of preprocess: regions, data-driven background, weights of simulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.physics.regions import inside, inside_any, scale_factors, tight_isolated
from pipeline.physics.weights import NormalisationError, normalisation

COLUMNS = [
    "weight", "sum_weights", "ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated",
]  # fmt: skip
"""Beside the observable; the other channel has no photons."""
WEIGHT_SUM_TOLERANCE = 1e-3
"""Relative; the files hold the sum of weights as a 4-byte number."""


def preprocess(
    tables: Mapping[str, pd.DataFrame], info: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:
    """Signal, background, control and data tables of the channel in `info`."""
    regions = _diphoton if info["channel"] == "hyy" else _four_lepton
    found = regions(tables, info)
    return {name: _joined(parts, _no_rows(name, tables)) for name, parts in found.items()}


Parts = dict[str, list[pd.DataFrame]]


def _diphoton(tables: Mapping[str, pd.DataFrame], info: Mapping[str, Any]) -> Parts:
    parts: Parts = {"signal": [], "background": [], "control": [], "data": []}
    fit_range = tuple(info["fit_range"])
    sidebands = [tuple(sideband) for sideband in info["sidebands"]]
    for name, table in _simulation(tables, info, "signal"):
        chosen = _tight(table) & inside(table[info["observable"]], fit_range)
        parts["signal"].append(_normalised(table[chosen], name, info))

    data = {name: tables[name] for name in _data_samples(tables, info)}
    if not data:
        return parts
    mass = np.concatenate([table[info["observable"]] for table in data.values()])
    tight = np.concatenate([_tight(table) for table in data.values()])
    factors = scale_factors(mass, tight, sidebands, tuple(info["signal_window"]))
    for name, table in data.items():
        m, is_tight = table[info["observable"]], _tight(table)
        in_range, in_sidebands = inside(m, fit_range), inside_any(m, sidebands)
        window_weight, shape_weight = factors.sf1 * factors.sf2, factors.sf1
        parts["data"].append(_labelled(table[is_tight & in_range], name, info, 1.0))
        parts["background"].append(
            _labelled(table[~is_tight & in_sidebands], name, info, window_weight, shape_weight)
        )
        parts["control"].append(
            _labelled(
                table[~is_tight & in_range & ~in_sidebands], name, info, shape_weight, shape_weight
            )
        )
    return parts


def _four_lepton(tables: Mapping[str, pd.DataFrame], info: Mapping[str, Any]) -> Parts:
    parts: Parts = {"signal": [], "background": [], "control": [], "data": []}
    kept = tuple(info["keep_range"])
    for role in ("signal", "background"):
        for name, table in _simulation(tables, info, role):
            chosen = _normalised(table[inside(table[info["observable"]], kept)], name, info)
            if role == "background":
                chosen["control_weight"] = chosen["weight"]
            parts[role].append(chosen)
    for name in _data_samples(tables, info):
        table = tables[name]
        parts["data"].append(
            _labelled(table[inside(table[info["observable"]], kept)], name, info, 1.0)
        )
    return parts


def _tight(table: pd.DataFrame) -> np.ndarray:
    return tight_isolated(
        table["ph1_tight"], table["ph1_isolated"], table["ph2_tight"], table["ph2_isolated"]
    )


def _data_samples(tables: Mapping[str, Any], info: Mapping[str, Any]) -> list[str]:
    return [name for name in sorted(tables) if info["samples"][name]["kind"] == "data"]


def _simulation(
    tables: Mapping[str, pd.DataFrame], info: Mapping[str, Any], role: str
) -> list[tuple[str, pd.DataFrame]]:
    """Samples of a role that may be normalised; the others are left out."""
    samples = info["samples"]
    return [
        (name, tables[name])
        for name in sorted(tables)
        if samples[name]["kind"] == "mc"
        and samples[name]["role"] == role
        and samples[name]["normalisable"]
    ]


def _normalised(table: pd.DataFrame, name: str, info: Mapping[str, Any]) -> pd.DataFrame:
    """Rows with the weight that makes them events expected in the data; signs are kept."""
    sample = info["samples"][name]
    _check_against_file(table, name, sample)
    factor = normalisation(
        sample["xsec_pb"],
        sample["filter_efficiency"],
        sample["k_factor"],
        sample["sum_of_weights"],
        info["luminosity_fb"],
    )
    return _labelled(table, name, info, table["weight"].to_numpy(np.float64) * factor)


def _check_against_file(table: pd.DataFrame, name: str, sample: Mapping[str, Any]) -> None:
    """The sum of weights that the events carry must be that of the manifest."""
    sums = table["sum_weights"].to_numpy(np.float64)
    away = np.abs(sums - sample["sum_of_weights"]) > WEIGHT_SUM_TOLERANCE * abs(
        sample["sum_of_weights"]
    )
    if away.any():
        raise NormalisationError(
            f"expected the sum of weights {sample['sum_of_weights']!r} of the manifest in every "
            f"row of sample {name!r}, found {float(sums[away][0])!r} in {int(away.sum())} of "
            f"{len(sums)}; the file is of another version than the manifest"
        )


def _labelled(
    table: pd.DataFrame,
    name: str,
    info: Mapping[str, Any],
    weight: float | np.ndarray,
    control_weight: float | None = None,
) -> pd.DataFrame:
    """A copy with `weight`, `process` and `sample`, and `control_weight` if there is one."""
    rows = table.reset_index(drop=True).assign(
        weight=weight, process=info["samples"][name]["process"], sample=name
    )
    rows["weight"] = rows["weight"].astype(np.float64)
    return rows if control_weight is None else rows.assign(control_weight=control_weight)


def _no_rows(name: str, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The columns and types of an output table, for a run in which it stays empty."""
    first = tables[min(tables)].iloc[:0]
    label = pd.Series([], dtype="str")
    empty = first.assign(weight=np.empty(0), process=label, sample=label)
    with_shape = name in ("background", "control")
    return empty.assign(control_weight=np.empty(0)) if with_shape else empty


def _joined(parts: list[pd.DataFrame], no_rows: pd.DataFrame) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else no_rows
