"""A server behind nginx that misbehaves as it is told: errors at first, and lies."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Upstream(ThreadingHTTPServer):
    """Files below `root`; the first part of a request's path says how it is answered.

    `ok`: as it is. `fails-N`: the first N requests for a file are answered with 502. `busy`: the
    first is answered with 503 and `Retry-After: 1`. `breaks`: the connection ends in the middle of
    the file, once. `short`: half the file, as if it were all. `long`: some bytes more.
    `wrong`: one byte is another. `other-range`: ranges begin elsewhere.
    """

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.asked: Counter[str] = Counter()
        self.ranges: list[str] = []
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer without the bytes."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer as the first part of the path says."""
        way, _, name = self.path.lstrip("/").partition("/")
        with self.server.guard:
            self.server.asked[self.path] += 1
            count = self.server.asked[self.path]
            self.server.ranges.append(self.headers.get("Range", ""))
        if way.startswith("fails-") and count <= int(way.removeprefix("fails-")):
            return self._refuse(502)
        if way == "busy" and count == 1:
            return self._refuse(503, "1")
        content = (self.server.root / name).read_bytes()
        self._send(way, count, content)
        return None

    def _send(self, way: str, count: int, content: bytes) -> None:
        if way == "short":
            content = content[: len(content) // 2]
        if way == "long":
            content += b"more"
        if way == "wrong":
            at = len(content) // 3
            content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        begin = int(match[1]) if match else 0
        end = min(int(match[2]) + 1, len(content)) if match and match[2] else len(content)
        told = begin + 1 if way == "other-range" else begin
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {told}-{end - 1}/{len(content)}")
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        if self.command == "HEAD":
            return
        if way == "breaks" and count == 1:
            self.wfile.write(content[begin : len(content) // 2])
            self.close_connection = True
            return
        self.wfile.write(content[begin:end])

    def _refuse(self, status: int, retry_after: str | None = None) -> None:
        self.send_response(status)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def upstream(root: Path) -> Iterator[Upstream]:
    """The server, until the block ends."""
    server = Upstream(root)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
