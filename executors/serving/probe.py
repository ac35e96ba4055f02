"""Questions to a server by HTTP: is it ready, does it answer, what do its counters say."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from executors.serving.errors import ServingError

ANSWER_S = 10.0
COMPLETION_S = 120.0
"""The first completion of a server may compile kernels."""
LARGEST_ANSWER = 8_000_000


class SilentServerError(ServingError, ConnectionError):
    """The server does not answer, or not as vLLM does."""


@dataclass(frozen=True)
class Probe:
    """Asks one server, directly: a proxy of the environment is no way to a node's address."""

    base_url: str
    """Up to and with /v1."""
    key_file: Path

    def why_not_ready(self, served_name: str) -> str | None:
        """None if the model is listed and completes one token; else what is missing.

        That `/health` answers says only that the process lives.
        """
        try:
            listed = json.loads(self._ask("GET", "/v1/models", ANSWER_S))
            names = [str(model["id"]) for model in listed["data"]]
            if served_name not in names:
                return f"expected the model {served_name!r} to be listed, found {names!r}"
            question = {
                "model": served_name,
                "messages": [{"role": "user", "content": "?"}],
                "max_tokens": 1,
            }
            answer = self._ask("POST", "/v1/chat/completions", COMPLETION_S, question)
            if not json.loads(answer)["choices"]:
                return "expected a completion of one token, found none"
        except SilentServerError as error:
            return str(error)
        except (ValueError, LookupError, TypeError) as error:
            return f"expected answers as OpenAI's interface has them, found {error!r}"
        return None

    def metrics(self) -> str:
        """The text of /metrics; SilentServerError if it does not come."""
        return self._ask("GET", "/metrics", ANSWER_S)

    def _ask(
        self, method: str, path: str, timeout_s: float, body: dict[str, Any] | None = None
    ) -> str:
        address = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(
            str(address.hostname), address.port, timeout=timeout_s
        )
        key = self.key_file.read_text(encoding="utf-8")
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, sent, headers)
            response = connection.getresponse()
            text = response.read(LARGEST_ANSWER).decode("utf-8", errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise SilentServerError(
                f"expected an answer to {method} {path}, found {type(error).__name__}: {error}"
            ) from None
        finally:
            connection.close()
        if response.status != 200:
            raise SilentServerError(
                f"expected status 200 for {method} {path}, found {response.status}"
            )
        return text
