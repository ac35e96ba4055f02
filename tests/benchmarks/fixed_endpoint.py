"""A STAND-IN for a model's server: OpenAI-compatible, answers each call after a fixed time.

Its replies are those of the script `solves`. It knows the seed of every call that it expects, by
that tells whose call it is and which, and keeps when each began and ended. Any other call it
refuses.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

from agents.chat import Call, call_seed
from pipeline.configure import configure
from pipeline.models import trial_seed
from pipeline.scripted.scripts import SOLVES, folders

NAME = "stand-in/fixed"


@dataclass(frozen=True)
class Due:
    """A call that is expected: of which trial, and the reply to it."""

    trial: int
    reply: str


def calls_due(stage: str, trials: Iterable[int]) -> dict[int, Due]:
    """Seed -> call, for all calls of these trials' dialogues, settings but `trial` the defaults."""
    given = configure([])
    found = (f / stage for f in folders(SOLVES, given.channel.name, given.data.release))
    replies = sorted(next(f for f in found if f.is_dir()).glob("[0-9]*-*.md"))
    due: dict[int, Due] = {}
    for trial in trials:
        for number, path in enumerate(replies, start=1):
            call = Call(stage, "coder", 1, number)  # role and round make no other seed
            seed = call_seed(trial_seed(given.seed, trial), call)
            assert seed not in due, "two calls of one seed"
            due[seed] = Due(trial, path.read_text(encoding="utf-8"))
    return due


@dataclass
class Fixed:
    """The stand-in, and what it saw."""

    answer_s: float
    due: Mapping[int, Due]
    """Seed -> call."""
    url: str = ""
    spans: list[tuple[int, float, float]] = field(default_factory=list)
    """Trial, begin and end of every call, in seconds of one clock."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def calls(self) -> dict[int, int]:
        """Trial -> calls that it made."""
        trials = [s[0] for s in self.spans]
        return {trial: trials.count(trial) for trial in sorted(set(trials))}

    def busy(self, slots: int) -> float:
        """Share of the slots' time, from the first call to the last answer, that was used."""
        begin, end = min(s[1] for s in self.spans), max(s[2] for s in self.spans)
        return sum(e - b for _, b, e in self.spans) / (slots * (end - begin))

    def gaps(self) -> list[float]:
        """Seconds from each answer to the next call of the same dialogue."""
        found = []
        for trial in self.calls():
            mine = sorted((b, e) for t, b, e in self.spans if t == trial)
            found += [after[0] - before[1] for before, after in pairwise(mine)]
        return found

    def reply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a call, `answer_s` after it came; KeyError for one that is not due."""
        began = time.monotonic()
        due = self.due[int(request["seed"])]
        time.sleep(max(0.0, self.answer_s - (time.monotonic() - began)))
        with self.lock:
            self.spans.append((due.trial, began, time.monotonic()))
        return {
            "id": "x", "object": "chat.completion", "created": 0, "model": NAME,
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": due.reply}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }  # fmt: skip


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a connection that finds no room is tried again after a second


@contextmanager
def fixed_endpoint(answer_s: float, due: Mapping[int, Due]) -> Iterator[Fixed]:
    """The stand-in on a free port of this machine while the block lasts."""
    fixed = Fixed(answer_s, due)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or the body waits 40 ms for the head to be acknowledged

        def do_GET(self) -> None:
            self._send(200, {"object": "list", "data": [{"id": NAME, "object": "model"}]})

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            request = json.loads(self.rfile.read(size))
            try:
                self._send(200, fixed.reply(request))
            except KeyError:
                sentence = f"expected the seed of a call that is due, found {request.get('seed')}"
                self._send(400, {"error": {"message": sentence, "type": "invalid_request_error"}})

        def _send(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fixed.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield fixed
    finally:
        server.shutdown()
        server.server_close()
