"""A STAND-IN for vLLM: no model, no GPU, only the answers that serving needs from a server.

It takes vLLM's arguments and answers /v1/models, /v1/chat/completions, /metrics and /health. Each
completion says "." and lasts as many seconds as the last message asks for ("sleep 2"). Variables:
STAND_IN_LOAD_S seconds before it listens, STAND_IN_DIES_AT_START, STAND_IN_DEAF answers nothing but
/v1 after the first completion. POST /die ends it as a crash would.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COUNTERS = {"running": 0, "requests": 0, "prompt": 0, "generation": 0}
LOCK = threading.Lock()


def count(**changes: int) -> None:
    with LOCK:
        for name, change in changes.items():
            COUNTERS[name] += change


class Answers(BaseHTTPRequestHandler):
    """Answers as vLLM's server does, for one model."""

    served_name = ""
    says: Callable[[], str] = staticmethod(lambda: ".")

    def do_GET(self) -> None:
        if self.path == "/health":
            self.say({})
        elif self.path == "/version":
            self.say({"version": "stand-in"})
        elif self.path == "/metrics" and not os.environ.get("STAND_IN_DEAF"):
            self.say_text(METRICS.format(**COUNTERS))
        elif self.path == "/v1/models" and self.allowed():
            self.say({"data": [{"id": self.served_name}]})
        else:
            self.send_error(404 if not self.path.startswith("/v1") else 401)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        if self.path == "/die":
            os._exit(7)
        if not self.allowed():
            self.send_error(401)
            return
        words = body["messages"][-1]["content"].split()
        count(running=1)
        time.sleep(float(words[1]) if words[0] == "sleep" else 0.0)
        count(running=-1, requests=1, prompt=len(words), generation=3)
        usage = {"prompt_tokens": len(words), "completion_tokens": 3, "total_tokens": 3}
        message = {"role": "assistant", "content": self.says()}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self.say({"id": "1", "model": self.served_name, "choices": [choice], "usage": usage})

    def allowed(self) -> bool:
        return self.headers["Authorization"] == f"Bearer {os.environ['VLLM_API_KEY']}"

    def say(self, answer: object) -> None:
        self.say_text(json.dumps(answer))

    def say_text(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text.encode())))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """No log of requests: --disable-uvicorn-access-log."""


METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",model_name="m"}} {running}.0
vllm:num_requests_waiting{{engine="0",model_name="m"}} 0.0
vllm:prefix_cache_queries_total{{engine="0",model_name="m"}} {prompt}.0
vllm:prefix_cache_hits_total{{engine="0",model_name="m"}} 0.0
vllm:prompt_tokens_total{{engine="0",model_name="m"}} {prompt}.0
vllm:generation_tokens_total{{engine="0",model_name="m"}} {generation}.0
vllm:request_success_total{{engine="0",finished_reason="stop",model_name="m"}} {requests}.0
vllm:request_success_total{{engine="0",finished_reason="abort",model_name="m"}} 0.0
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["serve"])
    parser.add_argument("model")
    parser.add_argument("--served-model-name", required=True)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--headless", action="store_true")
    given, _ = parser.parse_known_args()
    print("stand-in for vLLM", sys.argv[1:], flush=True)
    if os.environ.get("STAND_IN_DIES_AT_START"):
        print("RuntimeError: the stand-in was told to die at its start", flush=True)
        sys.exit(3)
    # Like vLLM's engine: a process of its own that outlives its server's sudden death.
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    time.sleep(float(os.environ.get("STAND_IN_LOAD_S", "0")))
    if given.headless:  # a further node: it computes, and nobody asks it
        time.sleep(600)
    Answers.served_name = given.served_model_name
    ThreadingHTTPServer((given.host, given.port), Answers).serve_forever()


if __name__ == "__main__":
    main()
