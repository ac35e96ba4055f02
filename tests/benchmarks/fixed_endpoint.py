"""A STAND-IN for a model's server: OpenAI-compatible, answers each call after a fixed time.

Its replies are those of the script `solves`. It tells calls of one dialogue by the seed and the
stage, counts them, and keeps when each began and ended.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

from pipeline.scripted.scripts import folders

NAME = "stand-in/fixed"


@dataclass
class Fixed:
    """The stand-in, and what it saw."""

    answer_s: float
    url: str = ""
    spans: list[tuple[tuple[int, str], float, float]] = field(default_factory=list)
    """Dialogue (seed, stage), begin and end of every call, in seconds of one clock."""
    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def busy(self, slots: int) -> float:
        """Share of the slots' time, from the first call to the last answer, that was used."""
        begin, end = min(s[1] for s in self.spans), max(s[2] for s in self.spans)
        return sum(e - b for _, b, e in self.spans) / (slots * (end - begin))

    def gaps(self) -> list[float]:
        """Seconds from each answer to the next call of the same dialogue."""
        found = []
        for dialogue in {s[0] for s in self.spans}:
            mine = sorted((b, e) for d, b, e in self.spans if d == dialogue)
            found += [after[0] - before[1] for before, after in pairwise(mine)]
        return found

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        began = time.monotonic()
        text = json.dumps(request["messages"])
        (stage,) = set(re.findall(r"# The stage: ([a-z]+)", text))
        dialogue = (int(request["seed"]), stage)
        with self.lock:
            self.counts[dialogue] += 1
            number = self.counts[dialogue]
        found = [f / stage for f in folders("solves", "hyy", "2025e-13tev-beta")]
        (file,) = next(f for f in found if f.is_dir()).glob(f"{number:02d}-*.md")
        content = file.read_text(encoding="utf-8")
        time.sleep(max(0.0, self.answer_s - (time.monotonic() - began)))
        with self.lock:
            self.spans.append((dialogue, began, time.monotonic()))
        return {
            "id": "x", "object": "chat.completion", "created": 0, "model": NAME,
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": content}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }  # fmt: skip


@contextmanager
def fixed_endpoint(answer_s: float) -> Iterator[Fixed]:
    """The stand-in on a free port of this machine while the block lasts."""
    fixed = Fixed(answer_s)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send({"object": "list", "data": [{"id": NAME, "object": "model"}]})

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            self._send(fixed.reply(json.loads(self.rfile.read(size))))

        def _send(self, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fixed.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield fixed
    finally:
        server.shutdown()
        server.server_close()
