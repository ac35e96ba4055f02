"""HTTP answers and surroundings that are rare and allowed: what each of them means."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

from pipeline.data.fetch import http
from pipeline.data.fetch.faults import MissingToolError
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


def test_a_proxy_that_needs_a_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "socksio", None)
    http.close()
    with pytest.raises(MissingToolError, match=r"found a SOCKS one.*or unset the variable"):
        http.size("http://127.0.0.1:9/a.root", 1.0)
