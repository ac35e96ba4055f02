"""Waits grow, are bounded, and are the same for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.backoff import Backoff, retry_after


@given(st.integers(0, 10_000), st.integers(0, 2**31))
def test_a_wait_is_bounded_and_repeatable(attempt: int, seed: int) -> None:
    backoff = Backoff(first_s=1.0, longest_s=60.0)
    wait = backoff.delay(attempt, seed)
    full = min(60.0, 2.0 ** min(attempt, 10))
    assert full / 2 <= wait <= full
    assert wait == backoff.delay(attempt, seed)


def test_no_shorter_than_the_server_asks() -> None:
    assert Backoff().delay(0, 1, 30.0) == 30.0
    assert Backoff().delay(9, 1, 1.0) >= 30.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-4", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:28:30 -0000", 30.0),
        ("Wed, 21 Oct 2020 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, datetime(2026, 10, 21, 7, 28, tzinfo=UTC)) == seconds
