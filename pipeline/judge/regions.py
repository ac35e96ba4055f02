"""What preprocess must give for given tables: the direct formula, written a second time.

Nothing here is shared with the reference solution, so that an error in one is seen by the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.judge.matching import EVENT
from pipeline.stages.tables import EVENT_TABLES

Mask = npt.NDArray[np.bool_]
ROW = (*EVENT, "sample")
"""Columns that name a row of any table of preprocess."""


def expected_tables(
    tables: Mapping[str, pd.DataFrame], info: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:
    """The rows of each table by identity, with `process`, `weight` and `control_weight`.

    `tables` and `info` are the arguments of preprocess. Weights are in expected events. The
    formulas are those of the task: signed weight · xsec · eff · k · 1000 · L / sum of weights for
    simulation; 1, SF1 · SF2 and SF1 for data, with SF1 = N_TI(SB)/N_NTI(SB) and
    SF2 = N_NTI(window)/N_NTI(SB).
    """
    rows = pd.concat(
        [_rows(tables[name], name, info) for name in sorted(tables)], ignore_index=True
    )
    is_data, role = (rows["kind"] == "data").to_numpy(), rows["role"].to_numpy()
    mass = rows["mass"].to_numpy(float)
    if info["channel"] == "hyy":
        chosen = _diphoton(rows, is_data, role, mass, info)
    else:
        low, high = info["keep_range"]
        kept = (mass >= low) & (mass <= high)
        chosen = {
            "signal": kept & ~is_data & (role == "signal"),
            "background": kept & ~is_data & (role == "background"),
            "control": np.zeros(len(rows), bool),
            "data": kept & is_data,
        }
    columns = [*ROW, "process", "weight", "control_weight"]
    return {name: rows.loc[chosen[name], columns].reset_index(drop=True) for name in EVENT_TABLES}


def _rows(table: pd.DataFrame, name: str, info: Mapping[str, Any]) -> pd.DataFrame:
    sample = info["samples"][name]
    found = table[list(EVENT)].assign(
        sample=name, process=sample["process"], kind=sample["kind"], role=sample["role"],
        mass=table[info["observable"]].to_numpy(float), weight=1.0,
    )  # fmt: skip
    if info["channel"] == "hyy":
        flags = ("ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated")
        found["ti"] = np.all([table[flag].to_numpy(bool) for flag in flags], axis=0)
    if sample["kind"] == "mc" and sample["normalisable"]:
        produced = sample["xsec_pb"] * sample["filter_efficiency"] * sample["k_factor"]
        expected = produced * 1000.0 * info["luminosity_fb"]
        found["weight"] = table["weight"].to_numpy(float) * expected / sample["sum_of_weights"]
    elif sample["kind"] == "mc":
        found["role"] = "left out"
    return found.assign(control_weight=found["weight"])


def _diphoton(
    rows: pd.DataFrame,
    is_data: Mask,
    role: npt.NDArray[np.object_],
    mass: npt.NDArray[np.float64],
    info: Mapping[str, Any],
) -> dict[str, Mask]:
    """Masks of the four tables; puts SF1 · SF2 and SF1 on the rows of data that are not TI."""
    tight = rows["ti"].to_numpy(bool)
    in_fit = _within(mass, info["fit_range"])
    sideband = np.any([_within(mass, interval) for interval in info["sidebands"]], axis=0)
    window = _within(mass, info["signal_window"])
    n_ti = np.count_nonzero(is_data & tight & sideband)
    n_nti = np.count_nonzero(is_data & ~tight & sideband)
    n_window = np.count_nonzero(is_data & ~tight & window)
    sf1, sf2 = (n_ti / n_nti, n_window / n_nti) if n_nti else (0.0, 0.0)
    background = is_data & ~tight & sideband
    control = is_data & ~tight & in_fit & ~sideband
    rows.loc[background, "weight"] = sf1 * sf2
    rows.loc[control, "weight"] = sf1
    rows.loc[background | control, "control_weight"] = sf1
    return {
        "signal": ~is_data & (role == "signal") & tight & in_fit,
        "background": background,
        "control": control,
        "data": is_data & tight & in_fit,
    }


def _within(mass: npt.NDArray[np.float64], interval: Any) -> Mask:
    low, high = interval
    return np.asarray((mass >= low) & (mass <= high))
