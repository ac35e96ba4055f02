"""The direct formula for preprocess: weights and regions counted by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.judge.regions import expected_tables

RANGES = {
    "observable": "m_yy",
    "fit_range": [105, 160],
    "sidebands": [[105, 120], [130, 160]],
    "signal_window": [123, 127],
    "luminosity_fb": 36.1,
}


def table(mass, tight, weight=1.0, first: int = 1) -> pd.DataFrame:
    rows = len(mass)
    flags = {f: np.asarray(tight) for f in ("ph1_tight", "ph1_isolated", "ph2_tight")}
    return pd.DataFrame(
        {"run_number": 1, "event_number": np.arange(first, first + rows), "channel_number": 0,
         "weight": weight, "m_yy": np.asarray(mass, float), **flags, "ph2_isolated": True}
    )  # fmt: skip


def sample(kind: str, role: str, normalisable: bool = True) -> dict:
    return {"kind": kind, "role": role, "process": role, "normalisable": normalisable,
            "xsec_pb": 0.1, "filter_efficiency": 0.5, "k_factor": 2.0,
            "sum_of_weights": 1000.0}  # fmt: skip


def test_the_worked_example_gives_49_9_events() -> None:
    """512 and 15,771 events in the sidebands, 1,537 in the window (physics.md)."""
    mass = np.concatenate([np.full(512, 110.0), np.full(15771, 140.0), np.full(1537, 125.0)])
    tight = np.arange(len(mass)) < 512
    info = {**RANGES, "channel": "hyy", "samples": {"d": sample("data", "data")}}
    found = expected_tables({"d": table(mass, tight)}, info)
    assert {name: len(t) for name, t in found.items()} == {
        "signal": 0, "background": 15771, "control": 1537, "data": 512,
    }  # fmt: skip
    assert found["background"]["weight"].sum() == pytest.approx(49.9, abs=0.01)
    assert found["background"]["control_weight"].sum() == pytest.approx(512)
    assert found["control"]["weight"].sum() == pytest.approx(1537 * 512 / 15771)


def test_simulation_is_normalised_with_its_sign() -> None:
    simulated = table([125.0, 125.0, 104.9, 125.0], [True, True, True, False])
    simulated["weight"] = [2.0, -1.0, 1.0, 1.0]
    info = {**RANGES, "channel": "hyy", "samples": {"1": sample("mc", "signal")}}
    signal = expected_tables({"1": simulated}, info)["signal"]
    unit = 0.1 * 0.5 * 2.0 * 1000 * 36.1 / 1000.0
    assert list(signal["weight"]) == pytest.approx([2 * unit, -unit])


def test_ranges_hold_their_ends_and_nan_is_in_none() -> None:
    mass = [105.0, 120.0, 120.1, 130.0, 160.0, 160.1, np.nan]
    info = {**RANGES, "channel": "hyy", "samples": {"d": sample("data", "data")}}
    found = expected_tables({"d": table(mass, np.zeros(7, bool))}, info)
    assert list(found["background"]["event_number"]) == [1, 2, 4, 5]
    assert list(found["control"]["event_number"]) == [3]


def test_four_leptons_are_told_apart_by_role_alone() -> None:
    info = {
        "channel": "hzz4l", "observable": "m_4l", "keep_range": [80, 170], "luminosity_fb": 10.0,
        "samples": {
            "s": sample("mc", "signal"), "b": sample("mc", "background"),
            "x": sample("mc", "background", normalisable=False), "d": sample("data", "data"),
        },
    }  # fmt: skip
    rows = table([79.0, 125.0, 170.0], [True] * 3).rename(columns={"m_yy": "m_4l"})
    found = expected_tables(dict.fromkeys("sbxd", rows), info)
    assert {name: list(t["sample"]) for name, t in found.items()} == {
        "signal": ["s", "s"], "background": ["b", "b"], "control": [], "data": ["d", "d"],
    }  # fmt: skip
