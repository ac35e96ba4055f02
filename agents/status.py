"""What an HTTP answer other than 200 means, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable

import openai

from agents.backoff import retry_after
from agents.errors import AgentError, AuthenticationError, EndpointError

_NO_ROOM = re.compile(
    r"maximum context length|context_length_exceeded|max_tokens must be at least", re.IGNORECASE
)
"""vLLM's words for a prompt that leaves no room for max_tokens (vllm #33418), and OpenAI's."""
MAX_SAID = 300
"""Characters of a server's own words that a message quotes."""


def leaves_no_room(error: openai.OpenAIError) -> bool:
    """Whether the endpoint declined because prompt and answer do not fit in the context."""
    return (
        isinstance(error, openai.APIStatusError)
        and 400 <= error.status_code < 500
        and _NO_ROOM.search(error.response.text) is not None
    )


def meaning(error: openai.OpenAIError, endpoint: str, clean: Callable[[str], str]) -> AgentError:
    """The SDK's error as ours; `clean` takes the key out of what the server said."""
    if isinstance(error, openai.APITimeoutError):
        return EndpointError("timeout", f"expected a reply of {endpoint} in time, found silence")
    if isinstance(error, openai.APIConnectionError):
        reason = clean(str(error.__cause__ or error))[:MAX_SAID]
        return EndpointError(
            "unreachable",
            f"expected an answer of {endpoint}, found the connection refused or dropped "
            f"({reason}); see whether the server is up",
        )
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, endpoint, clean(error.response.text)[:MAX_SAID])
    return EndpointError(
        "bad_reply", f"expected a chat completion of {endpoint}, found {type(error).__name__}"
    )


def _of_status(error: openai.APIStatusError, endpoint: str, said: str) -> AgentError:
    found = f"found HTTP status {error.status_code} of {endpoint}: {said!r}"
    asked = retry_after(error.response.headers.get("retry-after"))
    match error.status_code:
        case 401 | 403:
            return AuthenticationError(
                f"expected the API key to be accepted, {found}; name the right one with "
                "model.api_key_file or model.api_key_env"
            )
        case 404:
            return EndpointError(
                "rejected",
                f"expected chat completions, {found}; see whether base_url ends in /v1",
                transient=False,
            )
        case 429:
            return EndpointError(
                "rate_limited",
                f"expected an answer, {found}",
                transient="insufficient_quota" not in said,
                retry_after_s=asked,
            )
        case status if status >= 500 or status == 408:
            return EndpointError(
                "server_error", f"expected an answer, {found}", retry_after_s=asked
            )
    return EndpointError(
        "rejected", f"expected the request to be accepted, {found}", transient=False
    )
