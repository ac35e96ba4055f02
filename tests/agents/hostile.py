"""A small HTTP server that speaks chat completions, and breaks every rule on demand."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler"], None]


@dataclass(frozen=True)
class Seen:
    """One request: path, headers in lower case, and the decoded body."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Handler(BaseHTTPRequestHandler):
    """Lets the endpoint's next behaviour answer each completion."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        answer = self.server.endpoint.pages.get(self.path)
        if answer is None:
            self.reply(404, b'{"error": "no such page"}')
        else:
            self.reply(200, json.dumps(answer).encode())

    def do_POST(self) -> None:
        endpoint = self.server.endpoint
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with endpoint.guard:
            endpoint.seen.append(Seen(self.path, headers, body))
            behaviour = endpoint.next_behaviours.popleft()
            endpoint.under_way += 1
            endpoint.most_under_way = max(endpoint.most_under_way, endpoint.under_way)
        try:
            behaviour(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with endpoint.guard:
                endpoint.under_way -= 1

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing on standard error."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    endpoint: Endpoint

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone away is what some tests are about; say nothing of it."""


@dataclass
class Endpoint:
    """The server's behaviours to come, the requests it has seen, and its address."""

    base_url: str = ""
    next_behaviours: deque[Behaviour] = field(default_factory=deque)
    pages: dict[str, Any] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)
    under_way: int = 0
    most_under_way: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def will(self, *behaviours: Behaviour) -> None:
        """Answer the next completions so, one after the other."""
        self.next_behaviours.extend(behaviours)


def completion(text: str | None = "hello", **changes: Any) -> dict[str, Any]:
    """A completion as vLLM sends it; `changes` go into the message, the choice or the top."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    whole: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "test/model",
        "choices": [choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
    for name, value in changes.items():
        place = next((p for p in (choice, whole) if name in p), message)
        place[name] = value
    return whole


def says(text: str | None = "hello", **changes: Any) -> Behaviour:
    """Answer with a good completion."""
    body = json.dumps(completion(text, **changes)).encode()
    return lambda handler: handler.reply(200, body, content_type="application/json")


def status(code: int, body: bytes = b'{"error": {"message": "no"}}', **headers: str) -> Behaviour:
    """Answer with another HTTP status."""
    return lambda handler: handler.reply(code, body, **headers)


def body(content: bytes) -> Behaviour:
    """Answer 200 with whatever bytes."""
    return lambda handler: handler.reply(200, content)


def silent(handler: Handler) -> None:
    """Say nothing until the server stops."""
    handler.server.endpoint.stopping.wait(60)
    handler.close_connection = True


def drops(handler: Handler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


def drops_halfway(handler: Handler) -> None:
    """Promise a long body, send a part, and close the connection."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True


def floods(handler: Handler) -> None:
    """Send text without end, in chunks, until the reader goes away or 60 MB are out."""
    handler.send_response(200)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    part = b"x" * 1_000_000
    for _ in range(60):
        handler.wfile.write(b"%x\r\n" % len(part) + part + b"\r\n")


def trickles(handler: Handler) -> None:
    """Send a byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    while not handler.server.endpoint.stopping.wait(0.05):
        handler.wfile.write(b"1\r\nx\r\n")
        handler.wfile.flush()
