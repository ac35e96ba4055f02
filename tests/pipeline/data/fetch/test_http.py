"""HTTP answers and surroundings that are rare and allowed: what each of them means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.data.fetch.http import retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 10.0),
        ("Sun Nov  6 08:49:37 1994", 10.0),  # RFC 9110 wants this old form read, too: it is UTC
        ("Sun, 06 Nov 1994 08:49:37 -0000", 10.0),
        ("Sun, 06 Nov 1994 08:49:17 GMT", 0.0),
        ("soon", None),
    ],
)
def test_when_a_server_wants_to_be_asked_again(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, datetime(1994, 11, 6, 8, 49, 27, tzinfo=UTC)) == seconds
