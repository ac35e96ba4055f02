"""Blinding: raw events with a tight, isolated pair in the window, and no others."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.channels import hyy, hzz4l
from pipeline.configure import configure
from pipeline.settings import ChannelSettings, SettingsError
from tests.pipeline.stages.convert.events import back_to_back, record_of


@lru_cache
def channel(year: str) -> ChannelSettings:
    return configure([f"data=opendata_{year}", "data.location=x"]).channel


def blinded(year: str, *events: list[dict[str, Any]]) -> list[bool]:
    chosen = channel(year)
    branches = hyy.BLINDING_BRANCHES[chosen.selection]
    record = record_of(branches, [{"photon": photons} for photons in events])
    mask = hyy.blinded(record, chosen)
    assert mask.dtype == np.bool_
    return [bool(hidden) for hidden in mask]


@pytest.mark.parametrize("year", ["2025", "2020"])
def test_tight_isolated_pairs_in_the_window_are_blinded(year: str) -> None:
    assert blinded(
        year,
        [],
        back_to_back(),
        back_to_back(pt=59.9),
        back_to_back(pt=65.1),
        back_to_back(pt=60.1),
        back_to_back(isTightID=False),
        [{**back_to_back()[0], "isTightID": False}, back_to_back()[1]],
        back_to_back(ptcone20=4.0, ptcone30=5.0, etcone20=5.0),
        back_to_back()[:1],
    ) == [False, True, False, False, True, False, False, False, False]


def test_2025_looks_at_the_first_two() -> None:
    loose = {"pt": 30.0, "isTightID": False}
    assert blinded("2025", [*back_to_back(), loose], [loose, *back_to_back()]) == [True, False]
    assert blinded("2025", back_to_back(eta=1.4)) == [True]


def test_2020_looks_at_the_two_tight_ones() -> None:
    loose, third = {"pt": 30.0, "isTightID": False}, {"pt": 30.0}
    assert blinded("2020", [loose, *back_to_back()], [*back_to_back(), third]) == [True, False]
    assert blinded("2020", back_to_back(eta=1.4)) == [False]


PHOTON = st.fixed_dictionaries(
    {
        "pt": st.sampled_from([20.0, 40.0, 60.0, 63.0, 70.0]),
        "phi": st.sampled_from([0.0, 3.0, 3.14]),
        "isTightID": st.booleans(),
        "ptcone20": st.sampled_from([0.0, 5.0]),
    }
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(PHOTON, max_size=3), max_size=6))
def test_2025_is_what_a_loop_says(events: list[list[dict[str, Any]]]) -> None:
    expected = []
    for photons in events:
        hidden = False
        if len(photons) >= 2:
            a, b = photons[:2]
            good = all(p["isTightID"] and p["ptcone20"] < 0.055 * p["pt"] for p in (a, b))
            mass = np.sqrt(max(2 * a["pt"] * b["pt"] * (1 - np.cos(a["phi"] - b["phi"])), 0))
            hidden = good and 120 < mass < 130
        expected.append(hidden)
    assert blinded("2025", *events) == expected


def test_2024_takes_the_two_hardest_candidates() -> None:
    near = {"pt": 30.0, "phi": 1.0, "isTightID": False}
    events = [
        back_to_back(),
        [near, *back_to_back()],
        back_to_back()[::-1],
        [{"pt": 80.0, "phi": 1.0, "isLooseID": False}, *back_to_back()],
        [{"pt": 80.0, "phi": 1.0, "isClean": False}, *back_to_back()],
        [{"pt": 80.0, "phi": 1.0}, *back_to_back()],  # the pair is another
        back_to_back(isTightID=False),
        back_to_back(isLooseID=False),
        back_to_back(ptcone20=3.5),
        back_to_back(pt=70.0),
        back_to_back()[:1],
        [],
    ]
    assert blinded("2024", *events) == [True] * 5 + [False] * 7


def test_a_selection_without_a_rule_is_refused() -> None:
    unknown = replace(channel("2025"), selection="official_2016")
    with pytest.raises(SettingsError, match="found 'official_2016'; add its rule"):
        hyy.blinded(record_of(["photon_pt"], []), unknown)


def test_four_leptons_are_not_blinded() -> None:
    assert hzz4l.BLINDING_BRANCHES == {}
    events = record_of(["met"], [{}, {}])
    assert hzz4l.blinded(events, channel("2025")).tolist() == [False, False]
