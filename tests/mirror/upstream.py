"""A web server with ranges that misbehaves as it is told: late, ill by chance, and lying."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Upstream(ThreadingHTTPServer):
    """Files below `root`; the first part of a request's path says how it is answered.

    `ok`: as it is. `late-N`: after N ms, as from far away. `fails-N`: the first N requests for a
    file are answered with 502. `busy`: the first is answered with 503 and `Retry-After: 1`.
    `breaks`: the connection ends in the middle of the file, once. `short`: half the file, as if it
    were all. `long`: some bytes more. `wrong`: one byte is another. `other-range`: ranges begin
    elsewhere. `drips`: every connection ends after 600 kB. `changes`: the connection ends in the
    middle of the file, once, and from then on the file is another one. Besides, a share of all
    requests, `ill`, is answered with 502. Nothing is said of clients that go away: they may have
    been killed.
    """

    daemon_threads = True

    def __init__(self, root: Path, ill: float, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root.resolve()
        self.asked: Counter[str] = Counter()
        self.refused = 0
        """Requests that were ill by chance."""
        self.ranges: list[str] = []
        self.guard = threading.Lock()
        self._ill, self._random = ill, random.Random(seed)

    def note(self, path: str, asked: str) -> tuple[int, bool]:
        """How often a path was asked for, with this time, and whether the answer is well."""
        with self.guard:
            self.asked[path] += 1
            self.ranges.append(asked)
            well = self._random.random() >= self._ill
            self.refused += not well
            return self.asked[path], well

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


_MORE = b"more"
"""What a file that is too long has at its end."""


def changed(content: bytes) -> bytes:
    """What the bytes of a file are after it changed."""
    return bytes(255 - byte for byte in content)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Upstream

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer without the bytes."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer as the first part of the path says."""
        way, _, name = self.path.lstrip("/").partition("/")
        count, well = self.server.note(self.path, self.headers.get("Range", ""))
        if way.startswith("late-"):
            time.sleep(int(way.removeprefix("late-")) / 1e3)
        if not well or (way.startswith("fails-") and count <= int(way.removeprefix("fails-"))):
            return self._refuse(502)
        if way == "busy" and count == 1:
            return self._refuse(503, "1")
        path = (self.server.root / name.lstrip("/")).resolve()
        if not path.is_relative_to(self.server.root) or not path.is_file():
            return self._refuse(404)
        self._send(way, count, path)
        return None

    def _send(self, way: str, count: int, path: Path) -> None:
        size = true = path.stat().st_size
        if way == "short":
            size = true // 2
        if way == "long":
            size = true + len(_MORE)
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        begin = int(match[1]) if match else 0
        end = min(int(match[2]) + 1, size) if match and match[2] else size
        if begin >= end and match:
            return self._refuse(416)
        told = begin + 1 if way == "other-range" else begin
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {told}-{end - 1}/{size}")
        if way == "changes":
            self.send_header("ETag", f'"{min(count, 2)}"')
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        if self.command == "HEAD":
            return None
        if way in ("breaks", "changes") and count == 1:
            end, self.close_connection = size // 2, True
        if way == "drips":
            end, self.close_connection = min(end, begin + 600_000), True
        with path.open("rb") as file:
            file.seek(begin)
            content = file.read(end - begin)
        if way == "changes" and count > 1:
            content = changed(content)
        if way == "wrong" and begin <= true // 3 < end:
            at = true // 3 - begin
            content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        self.wfile.write(content + _MORE[max(0, begin - true) : max(0, end - true)])
        return None

    def _refuse(self, status: int, retry_after: str | None = None) -> None:
        self.send_response(status)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def upstream(root: Path, ill: float = 0.0, seed: int = 1) -> Iterator[Upstream]:
    """The server, until the block ends; a share `ill` of its answers is 502."""
    server = Upstream(root, ill, seed)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
