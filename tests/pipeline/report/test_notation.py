"""Numbers are rounded to their errors and written with true signs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.notation import (
    decimals,
    interval,
    number,
    percent,
    seconds,
    share,
    signed,
    whole,
    with_error,
)


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (1234567.0, 0, "1\u202f234\u202f567"),
        (-0.5, 2, "\u22120.50"),
        (-0.001, 2, "0.00"),
        (None, 2, "–"),
        (float("nan"), 2, "–"),
    ],
)
def test_number(value: float | None, places: int, text: str) -> None:
    assert number(value, places) == text


def test_counts_and_signs() -> None:
    assert whole(36_564_144) == "36\u202f564\u202f144"
    assert signed(0.0) == "+0.00"
    assert signed(-1.25, 1) == "\u22121.2"
    assert signed(None) == "–"


@pytest.mark.parametrize(
    ("error", "places"), [(0.21, 2), (0.021, 3), (2.1, 1), (24.0, 0), (240.0, 0), (0.0, 2)]
)
def test_decimals_show_two_digits_of_the_error(error: float, places: int) -> None:
    assert decimals(error) == places


def test_an_interval_is_rounded_to_its_smaller_error() -> None:
    found = interval(1.03456, (-0.0982, 0.123))
    assert (found.value, found.down, found.up) == ("1.035", "\u22120.098", "+0.123")
    assert found.plain == "1.035 +0.123 \u22120.098"
    assert interval(1.04, (-0.21, 0.21)).plain == "1.04 ± 0.21"
    assert interval(131.8, (-24.1, 24.4), 0).plain == "132 ± 24"
    assert interval(1.0, (None, 0.5)).plain == "1.00 +0.50 \u2212?"


def test_yields_and_shares() -> None:
    assert with_error(244.6, 11.2) == "245 ± 11"
    assert with_error(0.8123, 0.0751) == "0.812 ± 0.075"
    assert with_error(0.0, 0.00001) == "0.000 ± 0.000"
    assert percent(0.0123) == "1.2 %"
    assert share(0.41) == "41.0 %"
    assert share(0.015) == "1.50 %"
    assert share(0.00035) == "0.0350 %"
    assert share(1.0) == "100 %"
    assert seconds(12.34) == "12.3 s"
    assert seconds(125) == "2 min 05 s"


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
def test_what_is_written_is_within_a_twentieth_of_the_error(value: float, error: float) -> None:
    text = interval(value, (-error, error)).value
    back = float(text.replace("\u202f", "").replace("\u2212", "-"))
    assert abs(back - value) <= max(0.05 * error, 0.5) if error >= 10 else 0.05 * error + 1e-9
