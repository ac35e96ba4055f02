"""A local server that answers as the client's service and the portal do, from a folder.

Of the client's service (`atlasopenmagic`): `/datasets/count`, `/datasets` by pages, and
`/metadata/<release>/<key>`; of the portal: `/api/records/<recid>`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.data.sources.open_data import OpenData


class Answers:
    """What the server answers, kept for the pages that follow."""

    def __init__(self, source: OpenData) -> None:
        self.record = source.record
        self.datasets = cache(source.datasets)

    def to(self, path: str, query: dict[str, list[str]]) -> Any:
        """The answer to a request; None for what there is not."""
        parts = path.strip("/").split("/")
        match parts:
            case ["api", "records", recid] if recid.isdigit():
                return self.record(int(recid))
            case ["datasets", "count"]:
                return {"count": len(self.datasets(query["release_name"][0]))}
            case ["datasets"]:
                skip, limit = int(query["skip"][0]), int(query["limit"][0])
                return self.datasets(query["release_name"][0])[skip : skip + limit]
            case ["metadata", release, key]:
                return self._dataset(release, key.lower())
        return None

    def _dataset(self, release: str, key: str) -> dict[str, Any] | None:
        for dataset in self.datasets(release):
            if key in (dataset["dataset_number"], (dataset["physics_short"] or "").lower()):
                return dataset
        return None


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, answers: Answers, *arguments: Any) -> None:
        self.answers = answers
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answer as JSON, or with 404."""
        address = urlsplit(self.path)
        answer = self.answers.to(address.path, parse_qs(address.query))
        found = HTTPStatus.NOT_FOUND if answer is None else HTTPStatus.OK
        body = json.dumps({"detail": "not found"} if answer is None else answer).encode()
        self.send_response(found)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the build says what it found."""


@contextmanager
def stand_in(source: OpenData | Path) -> Iterator[str]:
    """The address of a server over a folder, for as long as the block lasts."""
    data = source if isinstance(source, OpenData) else OpenData(source)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, Answers(data)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
