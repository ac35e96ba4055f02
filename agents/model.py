"""The one real client: chat completions over an OpenAI-compatible endpoint, vLLM first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
import openai

from agents.backoff import Backoff
from agents.chat import CONTEXT_LENGTH, Call, ChatModel, Message, Reply
from agents.completion import read_completion, read_models, read_version
from agents.errors import EndpointError, WrongModelError
from agents.secret import Secret, read_api_key
from agents.slots import EndpointSlots
from agents.spec import ModelSpec
from agents.status import leaves_no_room, meaning
from agents.wire import MAX_REPLY_BYTES, http_client

__all__ = ["ChatModel", "EndpointModel", "ModelSpec", "Reply"]

_VERSION_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class EndpointModel:
    """A model behind an endpoint; safe to use from several threads, and closed by `with`."""

    spec: ModelSpec
    slot_folder: Path | None = None
    """Folder that processes share to keep the endpoint's concurrency together."""
    backoff: Backoff = field(default_factory=Backoff)
    sleep: Callable[[float], None] = time.sleep
    max_reply_bytes: int = MAX_REPLY_BYTES
    hear: Callable[[str], None] | None = None
    """Told the body of each answer as it came, without the key; for what a Reply does not hold."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, revision and sampling; the address is no part of who answers."""
        spec = self.spec
        sampling = {**spec.sampling, "response_format": spec.response_format}
        return {"name": spec.name, "revision": spec.revision, "sampling": sampling}

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        seed: int | None = None,
        call: Call | None = None,
    ) -> Reply:
        """The reply to `messages`; see ChatModel. Without a `seed` the spec's is taken.

        429, 5xx, time-outs, dropped connections and broken replies are tried again, with back-off,
        `max_retries` times. Raises EndpointError (whose kind says what it was), WrongModelError,
        AuthenticationError, ApiKeyError; no message holds the key.
        """
        chosen = self.spec.seed if seed is None else seed
        request = self._request(messages, schema, chosen)
        slots = EndpointSlots(self.spec.base_url, self.spec.concurrency, self.slot_folder)
        started, queued = time.monotonic(), 0.0
        attempt = 0
        while True:
            attempt += 1
            asked = time.monotonic()
            try:
                with slots.hold():
                    queued += time.monotonic() - asked
                    reply = self._once(request)
                break
            except EndpointError as error:
                self._wait_or_give_up(error, attempt, chosen)
        return replace(
            reply,
            server_version=self._server_version,
            endpoint=self.spec.base_url,
            sampling={**self.spec.sampling, "seed": chosen},
            wall_s=round(time.monotonic() - started - queued, 3),
            attempts=attempt,
        )

    def close(self) -> None:
        """Close the connections; the model can be used again and opens new ones."""
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _request(
        self, messages: Sequence[Message], schema: Mapping[str, Any] | None, seed: int
    ) -> dict[str, Any]:
        """The body of one request, in a fixed order of its members."""
        body: dict[str, Any] = {
            "model": self.spec.name,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "seed": seed,
            **self.spec.sampling,
        }
        if schema is not None and self.spec.response_format == "json_schema":
            named = {"name": "answer", "schema": dict(schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        elif schema is not None and self.spec.response_format == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body

    def _once(self, request: Mapping[str, Any]) -> Reply:
        try:
            response = self._client.post(
                "/chat/completions", body=dict(request), cast_to=httpx2.Response
            )
        except openai.OpenAIError as error:
            if leaves_no_room(error):
                return Reply(text="", finish_reason=CONTEXT_LENGTH, model=self.spec.name)
            if isinstance(error, openai.NotFoundError):
                self._raise_if_another_model()
            raise meaning(error, self.spec.base_url, self._clean) from None
        clean = self._clean
        body = clean(response.text)
        if self.hear is not None:
            self.hear(body)
        reply = read_completion(body)
        return replace(
            reply,
            text=clean(reply.text),
            reasoning=clean(reply.reasoning),
            refusal=clean(reply.refusal),
            finish_reason=clean(reply.finish_reason),
            model=clean(reply.model) or self.spec.name,
            request_id=clean(reply.request_id) if reply.request_id else None,
        )

    def _wait_or_give_up(self, error: EndpointError, attempt: int, seed: int) -> None:
        """Wait before the next attempt, or raise `error` with the number of attempts."""
        wait = self.backoff.delay(attempt - 1, seed, error.retry_after_s)
        patient = wait <= self.backoff.patience_s
        if error.transient and attempt <= self.spec.max_retries and patient:
            self.sleep(wait)
            return
        times = "once" if attempt == 1 else f"{attempt} times"
        hint = "" if patient else f"; the server asks to wait {wait:.0f} s"
        raise EndpointError(
            error.kind,
            self._clean(f"{error} (tried {times}{hint})"),
            transient=error.transient,
            retry_after_s=error.retry_after_s,
        ) from None

    def _raise_if_another_model(self) -> None:
        """WrongModelError if the endpoint lists its models and ours is not one of them."""
        try:
            listed = self._client.get("/models", cast_to=httpx2.Response)
            served = read_models(self._clean(listed.text))
        except (openai.OpenAIError, EndpointError):
            return
        if self.spec.name not in served:
            raise WrongModelError(
                f"expected the model {self.spec.name!r} at {self.spec.base_url}, found "
                f"{', '.join(map(repr, served)) or 'none'}; set model.name to one of these, or "
                "model.base_url to where it is served"
            ) from None

    def _clean(self, text: str) -> str:
        return text if self._secret is None else self._secret.removed_from(text)

    @cached_property
    def _secret(self) -> Secret | None:
        return read_api_key(self.spec.api_key_file, self.spec.api_key_env)

    @cached_property
    def _client(self) -> openai.OpenAI:
        """The SDK's client, without retries of its own: ours are seeded, counted and recorded."""
        return openai.OpenAI(
            api_key="set-by-the-http-client",
            base_url=self.spec.base_url,
            max_retries=0,
            timeout=openai.Timeout(self.spec.timeout_s, connect=min(10.0, self.spec.timeout_s)),
            http_client=http_client(self._secret, self.spec.timeout_s, self.max_reply_bytes),
        )

    @cached_property
    def _server_version(self) -> str | None:
        """What `/version` of the server says (vLLM has it beside /v1); None where there is none."""
        root = self.spec.base_url.rstrip("/").removesuffix("/v1")
        client = self._client.with_options(timeout=min(_VERSION_TIMEOUT_S, self.spec.timeout_s))
        try:
            answer = client.get(f"{root}/version", cast_to=httpx2.Response)
        except (openai.OpenAIError, EndpointError):
            return None
        return read_version(self._clean(answer.text))
