"""A portal of files in bad health: a web server with ranges that answers some requests 502."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class Portal:
    """What a running portal has answered, and how often it is to be ill."""

    folder: Path
    ill: float
    """Share of the requests that get a 502."""
    seed: int
    address: str = ""
    asked: int = 0
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def well(self) -> bool:
        """Whether the next request is answered properly."""
        with self._lock:
            self.asked += 1
            if self._random.random() >= self.ill:
                return True
            self.refused += 1
            return False


class Quiet(ThreadingHTTPServer):
    """A server whose clients may be killed: it says nothing of connections that end."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextmanager
def served(folder: Path, ill: float, seed: int = 1) -> Iterator[Portal]:
    """The files below `folder` on a free port of this machine, within the block."""
    portal = Portal(folder, ill, seed)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, *arguments: object) -> None:
            """Say nothing: `Portal` counts."""

        def _answer(self, with_body: bool) -> None:
            if not portal.well():
                self._send(502, b"bad gateway", {}, with_body)
                return
            path = (portal.folder / self.path.lstrip("/")).resolve()
            if not path.is_relative_to(portal.folder.resolve()) or not path.is_file():
                self._send(404, b"not found", {}, with_body)
                return
            content = path.read_bytes()
            asked = _RANGE.fullmatch(self.headers.get("Range", ""))
            if asked is None:
                self._send(200, content, {"Accept-Ranges": "bytes"}, with_body)
                return
            start, last = int(asked[1]), int(asked[2] or len(content) - 1)
            if start >= len(content):
                self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"}, with_body)
                return
            part = content[start : last + 1]
            where = f"bytes {start}-{start + len(part) - 1}/{len(content)}"
            self._send(206, part, {"Content-Range": where, "Accept-Ranges": "bytes"}, with_body)

        def _send(self, code: int, body: bytes, headers: dict[str, str], with_body: bool) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    portal.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield portal
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
