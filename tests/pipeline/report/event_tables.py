"""Tables of events drawn from small known distributions, as the stages would write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

HYY_SIGNALS = {"ggH": 1240.0, "VBF": 105.0, "WH": 31.0, "ZH": 18.0, "ggZH": 3.4, "ttH": 14.5}
"""Events of each process in the fit range at 36.1 fb^-1, about as in the real analysis."""
SCORES = {
    "ggH": (2.2, 2.6),
    "VBF": (3.4, 1.9),
    "WH": (3.0, 1.6),
    "ZH": (3.1, 1.6),
    "ggZH": (3.6, 1.5),
    "ttH": (7.0, 1.1),
}
"""Parameters of the beta distribution of the score, by process."""
BOUNDARIES = (0.3, 0.62, 0.88)
PEAK, WIDTH, SLOPE = 125.0, 1.6, 1 / 28.0
"""GeV, GeV and per GeV: a Gaussian on a falling exponential."""
LOW, HIGH = 105.0, 160.0

Tables = dict[str, pd.DataFrame]


def falling(rng: np.random.Generator, n: int) -> np.ndarray:
    """Masses from the exponential between LOW and HIGH."""
    kept = 1 - np.exp(-(HIGH - LOW) * SLOPE)
    return LOW - np.log(1 - rng.uniform(size=n) * kept) / SLOPE


def diphoton_tables(rng: np.random.Generator, events: int) -> Tables:
    """signal, background, control and data with a score; `events` of smooth data."""
    signal = pd.concat(
        [_diphoton_signal(rng, process, 3000) for process in HYY_SIGNALS], ignore_index=True
    )
    loose = _smooth(rng, events // 2, "background")
    scale = events / len(loose)
    in_blind = loose["m_yy"].between(120, 130)
    background = loose[~in_blind].assign(control_weight=scale)
    background["weight"] = scale * loose["m_yy"].between(123, 127).sum() / len(background)
    control = loose[in_blind].assign(control_weight=scale, weight=scale)
    chosen = rng.uniform(size=len(signal)) < np.abs(signal["weight"])
    data = pd.concat(
        [_smooth(rng, events, "data"), signal[chosen].assign(weight=1.0, process="data")]
    )
    found = {"signal": signal, "background": background, "control": control, "data": data}
    return {name: table.reset_index(drop=True) for name, table in found.items()}


def _diphoton_signal(rng: np.random.Generator, process: str, n: int) -> pd.DataFrame:
    weights = np.where(rng.uniform(size=n) < 0.04, -1.0, 1.0)
    return pd.DataFrame(
        {
            "m_yy": np.clip(rng.normal(PEAK, WIDTH, n), LOW, HIGH),
            "score": rng.beta(*SCORES[process], n),
            "weight": weights * HYY_SIGNALS[process] / weights.sum(),
            "process": process,
        }
    )


def _smooth(rng: np.random.Generator, n: int, process: str) -> pd.DataFrame:
    scores = rng.beta(1.9, 3.6, n)
    return pd.DataFrame(
        {"m_yy": falling(rng, n), "score": scores, "weight": 1.0, "process": process}
    )


def in_category(table: pd.DataFrame, i: int) -> np.ndarray:
    """Which rows lie in category `i`, counted from 0."""
    return np.searchsorted(BOUNDARIES, table["score"], side="right") == i


def diphoton_categories(tables: Tables) -> dict[str, Any]:
    """What `categories.json` would hold for BOUNDARIES."""
    edges = [0.0, *BOUNDARIES, 1.0]
    window = tables["signal"][tables["signal"]["m_yy"].between(123, 127)]
    background = tables["background"]
    found = []
    for i in range(len(edges) - 1):
        s = float(window["weight"][in_category(window, i)].sum())
        b = float(background["weight"][in_category(background, i)].sum())
        z = float(np.sqrt(2 * ((s + b) * np.log1p(s / b) - s)))
        found.append(
            {
                "name": f"category {i + 1}",
                "range": edges[i : i + 2],
                "signal": s,
                "background": b,
                "significance": z,
            }
        )
    combined = float(np.sqrt(sum(c["significance"] ** 2 for c in found)))
    steps = ((0.62, 0.90, 0.154), (0.88, 0.955, 0.061), (0.3, 1.0, 0.052), (0.71, 1.009, 0.009))
    return {
        "boundaries": list(BOUNDARIES),
        "significances": [c["significance"] for c in found],
        "combined": combined,
        "inclusive": 0.78 * combined,
        "steps": [
            {"boundary": at, "combined": z * combined, "gain": gain, "accepted": gain >= 0.05}
            for at, z, gain in steps
        ],
        "categories": found,
    }


def four_lepton_tables(rng: np.random.Generator, simulated: bool) -> Tables:
    """data, and with `simulated` signal and background, between 80 and 170 GeV."""
    masses = [rng.normal(91, 2.5, 9), rng.normal(124.6, 1.8, 11), rng.uniform(80, 170, 14)]
    tables = {"data": pd.DataFrame({"m_4l": np.concatenate(masses), "weight": 1.0})}
    tables["data"]["process"] = "data"
    if simulated:
        tables["background"] = _four_leptons(
            {
                "ZZ": (
                    16.0,
                    lambda n: np.append(rng.normal(91, 2, 200), rng.uniform(80, 170, n - 200)),
                ),
                "Zjets": (2.4, lambda n: rng.uniform(80, 170, n)),
            }
        )
        tables["signal"] = _four_leptons(
            {
                "ggH": (9.8, lambda n: rng.normal(124.7, 2.0, n)),
                "VBF": (0.9, lambda n: rng.normal(124.7, 2.0, n)),
            }
        )
    return tables


def _four_leptons(
    processes: Mapping[str, tuple[float, Callable[[int], np.ndarray]]], n: int = 600
) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"m_4l": draw(n), "weight": events / n, "process": name})
        for name, (events, draw) in processes.items()
    ]
    return pd.concat(parts, ignore_index=True)
