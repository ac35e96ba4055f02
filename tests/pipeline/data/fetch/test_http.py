"""HTTP answers and surroundings that are rare and allowed: what each of them means."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.data.fetch import http
from pipeline.data.fetch.cache import Cache
from pipeline.data.fetch.faults import MissingToolError
from pipeline.data.fetch.http import retry_after
from pipeline.data.fetch.stream import BLOCK
from pipeline.data.fetch.transfer import Transfer
from tests.mirror.nginx import Nginx, nginx
from tests.mirror.upstream import Upstream
from tests.pipeline.data.fetch.conftest import Fetch, Mirror


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


@pytest.mark.nginx
def test_on_a_slow_line_it_stops_at_once_and_keeps_what_has_come(
    mirror: Mirror, tmp_path: Path
) -> None:
    slow = f"location /trickle/ {{ alias {mirror.root}/; limit_rate 20k; }}"
    with nginx(mirror.root, tmp_path / "nginx", slow) as web:
        transfer = Transfer(Cache(tmp_path / "cache"), (f"{web.url}/trickle",))
        order = transfer.order(mirror.files[0])
        threading.Timer(2.0, transfer.stop.set).start()
        began = time.monotonic()
        transfer.run(mirror.files[:1], lambda *_: None)
    assert time.monotonic() - began < 10  # a block of a MiB takes 50 s
    kept = order.part.read_bytes()
    assert kept
    assert mirror.content(mirror.files[0]).startswith(kept)


@pytest.mark.nginx
def test_what_came_before_a_break_is_kept_to_the_last_byte(
    web: Nginx, misbehaving: Upstream, mirror: Mirror, fetch: Fetch
) -> None:
    file = mirror.files[1]
    assert file.size // 2 < BLOCK
    fetch(f"{web.url}/upstream/breaks", files=[file])
    assert misbehaving.ranges == ["", f"bytes={file.size // 2}-"]
