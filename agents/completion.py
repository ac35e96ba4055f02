"""The body of a chat completion: text in, a Reply or the sentence that says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agents.chat import Reply, Usage, split_reasoning
from agents.errors import EndpointError

_BROKEN_OFF = ("abort", "error")
"""Finish reasons with which vLLM says that its server, not the model, ended the reply."""


def read_completion(body: str) -> Reply:
    """The reply in the body of an OpenAI-compatible chat completion, reasoning kept apart.

    Raises EndpointError of kind bad_reply where the body is not JSON, is cut, has no choices, or
    is of another form; that is the endpoint's doing, and transient.
    """
    completion = _mapping(_parse(body), "a JSON object", body)
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices:
        raise _bad(f"one choice in 'choices', found {choices!r}")
    choice = _mapping(choices[0], "an object in 'choices'", body)
    message = _mapping(choice.get("message"), "an object in 'message'", body)
    finish_reason = _text(choice.get("finish_reason"))
    if finish_reason in _BROKEN_OFF:
        raise _bad(f"a finished reply, found finish_reason {finish_reason!r}")
    text, thought = split_reasoning(_content(message.get("content")))
    field = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    return Reply(
        text=text,
        reasoning="\n\n".join(part for part in (field.strip(), thought) if part),
        refusal=_text(message.get("refusal")),
        finish_reason=finish_reason or "unknown",
        usage=_usage(completion.get("usage")),
        model=_text(completion.get("model")),
        request_id=_text(completion.get("id")) or None,
    )


def read_models(body: str) -> list[str]:
    """The names of the models that `/v1/models` lists; EndpointError if it is no such list."""
    listed = _mapping(_parse(body), "a JSON object", body).get("data")
    if not isinstance(listed, list):
        raise _bad(f"a list of models in 'data', found {_shown(body)}")
    return [_text(entry.get("id")) for entry in listed if isinstance(entry, dict)]


def read_version(body: str) -> str | None:
    """What vLLM's `/version` says; None if it says nothing of the kind."""
    try:
        answer = _parse(body)
    except EndpointError:
        return None
    version = answer.get("version") if isinstance(answer, dict) else None
    return storable(version)[:100] if isinstance(version, str) else None


def storable(text: str) -> str:
    """`text` with characters that UTF-8 cannot hold (lone surrogates) as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _parse(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _bad(f"JSON, found {_shown(body)} ({error})") from None


def _mapping(value: Any, what: str, body: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _bad(f"{what}, found {_shown(body)}")
    return value


def _content(value: Any) -> str:
    """The text of `content`: a string, null, or a list of text parts."""
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, dict)]
        return "".join(_text(part) for part in parts)
    if value is None or isinstance(value, str):
        return _text(value)
    raise _bad(f"text in 'content', found {value!r:.80}")


def _text(value: Any) -> str:
    return storable(value) if isinstance(value, str) else ""


def _usage(value: Any) -> Usage:
    usage = value if isinstance(value, dict) else {}
    details = usage.get("completion_tokens_details")
    details = details if isinstance(details, dict) else {}
    return Usage(
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        _count(details.get("reasoning_tokens")),
    )


def _count(value: Any) -> int:
    counted = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return int(value) if counted else 0


def _bad(expected: str) -> EndpointError:
    return EndpointError("bad_reply", f"expected a chat completion with {expected}")


def _shown(body: str) -> str:
    return f"{len(body)} characters that end in {body[-60:]!r}"
