"""What preprocess must give for given tables: the direct formula, written a second time.

Nothing here is shared with the reference solution, so that an error in one is seen by the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.judge.columns import Stacked, Table
from pipeline.judge.matching import EVENT
from pipeline.stages.tables import EVENT_TABLES

Mask = npt.NDArray[np.bool_]
ROW = (*EVENT, "sample")
"""Columns that name a row of any table of preprocess."""


def expected_tables(
    tables: Mapping[str, Table], info: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:
    """The rows of each table by identity, with `process`, `weight` and `control_weight`.

    `tables` and `info` are the arguments of preprocess. Weights are in expected events. The
    formulas are those of the task: signed weight · xsec · eff · k · 1000 · L / sum of weights for
    simulation; 1, SF1 · SF2 and SF1 for data, with SF1 = N_TI(SB)/N_NTI(SB) and
    SF2 = N_NTI(window)/N_NTI(SB). Text is categorical: it is the same in all rows of a sample.
    """
    rows = _Rows.of({name: tables[name] for name in sorted(tables)}, info)
    if info["channel"] == "hyy":
        chosen, weights = _diphoton(rows, info)
    else:
        low, high = info["keep_range"]
        kept = (rows.mass >= low) & (rows.mass <= high)
        nothing, weights = np.zeros(len(kept), bool), {}
        chosen = {
            "signal": kept & rows.is_signal,
            "background": kept & rows.is_background,
            "control": nothing,
            "data": kept & rows.is_data,
        }
    return rows.tables(chosen, weights)


@dataclass(frozen=True)
class _Rows:
    """All rows of the input, one sample after the other, by what decides about them."""

    identity: Stacked
    process: pd.Categorical
    is_data: Mask
    is_signal: Mask
    """Of simulation whose role it is, and that can be normalised."""
    is_background: Mask
    mass: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]
    tight: Mask
    """Both photons tight and isolated; nothing where the channel has none."""

    @classmethod
    def of(cls, tables: Mapping[str, Table], info: Mapping[str, Any]) -> _Rows:
        samples = [info["samples"][name] for name in tables]
        lengths = [len(table) for table in tables.values()]
        processes = [sample["process"] for sample in samples]
        names = sorted(set(processes))

        def each(value: Callable[[Mapping[str, Any]], bool]) -> Mask:
            return np.repeat(np.array([value(sample) for sample in samples], bool), lengths)

        def simulated(sample: Mapping[str, Any]) -> bool:
            return bool(sample["kind"] == "mc" and sample["normalisable"])

        mass = [table[info["observable"]].to_numpy(float) for table in tables.values()]
        weight = [_weight(table, info["samples"][name], info) for name, table in tables.items()]
        flags = ("ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated")
        tight = [
            np.all([table[flag].to_numpy(bool) for flag in flags], axis=0)
            for table in tables.values()
            if info["channel"] == "hyy"
        ]
        places = np.array([names.index(process) for process in processes], np.int16)
        return cls(
            Stacked(tables, ROW),
            pd.Categorical.from_codes(np.repeat(places, lengths), pd.Index(names)),
            each(lambda sample: sample["kind"] == "data"),
            each(lambda sample: simulated(sample) and sample["role"] == "signal"),
            each(lambda sample: simulated(sample) and sample["role"] == "background"),
            np.concatenate(mass) if mass else np.zeros(0),
            np.concatenate(weight) if weight else np.zeros(0),
            np.concatenate(tight) if tight else np.zeros(0, bool),
        )

    def tables(
        self, chosen: Mapping[str, Mask], weights: Mapping[str, tuple[float, float]]
    ) -> dict[str, pd.DataFrame]:
        """The chosen rows of each table; those in `weights` have these instead of their own."""
        rows = {name: np.flatnonzero(chosen[name]) for name in EVENT_TABLES}
        columns: dict[str, dict[str, Any]] = {name: {} for name in EVENT_TABLES}
        for column in ROW:  # each is read once for all tables
            values = self.identity[column]
            for name, places in rows.items():
                columns[name][column] = values.iloc[places].reset_index(drop=True)
        found = {}
        for name, places in rows.items():
            table = pd.DataFrame({**columns[name], "process": self.process[places]})
            own = self.weight[places]
            weight, control = weights.get(name, (own, own))
            found[name] = table.assign(weight=weight, control_weight=control)
        return found


def _weight(
    table: Table, sample: Mapping[str, Any], info: Mapping[str, Any]
) -> npt.NDArray[np.float64]:
    """Of simulation the events that a row stands for; 1 of data, and of what is left out."""
    if sample["kind"] != "mc" or not sample["normalisable"]:
        return np.ones(len(table))
    produced = sample["xsec_pb"] * sample["filter_efficiency"] * sample["k_factor"]
    expected = produced * 1000.0 * info["luminosity_fb"]
    return np.asarray(table["weight"].to_numpy(float) * expected / sample["sum_of_weights"])


def _diphoton(
    rows: _Rows, info: Mapping[str, Any]
) -> tuple[dict[str, Mask], dict[str, tuple[float, float]]]:
    """Masks of the four tables; weight and control weight of data that are not TI."""
    in_fit = _within(rows.mass, info["fit_range"])
    sideband = np.any([_within(rows.mass, interval) for interval in info["sidebands"]], axis=0)
    window = _within(rows.mass, info["signal_window"])
    loose = rows.is_data & ~rows.tight
    n_ti = np.count_nonzero(rows.is_data & rows.tight & sideband)
    n_nti = np.count_nonzero(loose & sideband)
    n_window = np.count_nonzero(loose & window)
    sf1, sf2 = (n_ti / n_nti, n_window / n_nti) if n_nti else (0.0, 0.0)
    chosen = {
        "signal": rows.is_signal & rows.tight & in_fit,
        "background": loose & sideband,
        "control": loose & in_fit & ~sideband,
        "data": rows.is_data & rows.tight & in_fit,
    }
    return chosen, {"background": (sf1 * sf2, sf1), "control": (sf1, sf1)}


def _within(mass: npt.NDArray[np.float64], interval: Any) -> Mask:
    low, high = interval
    return np.asarray((mass >= low) & (mass <= high))
