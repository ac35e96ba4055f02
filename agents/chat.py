"""What a model is to the loop: messages in, one reply out, whatever stands behind it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Protocol

from agents.errors import EmptyReplyError, LengthError, RefusalError, ReplyError

Role = Literal["supervisor", "coder"]
CONTEXT_LENGTH = "context_length"
"""Our finish reason where the endpoint says that prompt and answer do not fit in the context."""
_CUT = {
    "length": "expected a complete reply, found one that was cut at its maximal length "
    "(finish_reason 'length' after {tokens} tokens); answer more briefly",
    "repetition": "expected a complete reply, found one that the server cut because it repeated "
    "itself (finish_reason 'repetition' after {tokens} tokens)",
    CONTEXT_LENGTH: "expected a prompt that fits in the model's context, found one that does not "
    "with the room that max_tokens asks for; lower max_tokens or take a longer context",
}
_CIRCUMSTANCES = ("request_id", "wall_s", "attempts")
_REASONING = re.compile(r"\s*<(think|thinking)>(.*?)(</\1>|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Message:
    """One message of a chat: its role (system, user, assistant) and its text."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Call:
    """Which call of a stage this is: who asks, in which round, and its running number from 1."""

    stage: str
    role: Role
    round: int
    number: int


@dataclass(frozen=True)
class Usage:
    """Tokens of one or more calls; `reasoning` is part of `completion`, where a server says it."""

    prompt: int = 0
    completion: int = 0
    reasoning: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.reasoning + other.reasoning,
        )

    @property
    def total(self) -> int:
        return self.prompt + self.completion


@dataclass(frozen=True)
class Reply:
    """One reply of a model and everything needed to know where it came from."""

    text: str
    """The answer, without its reasoning."""
    finish_reason: str
    model: str
    reasoning: str = ""
    refusal: str = ""
    usage: Usage = field(default_factory=Usage)
    server_version: str | None = None
    endpoint: str = ""
    """Address of the endpoint, without credentials; empty where there is none."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    wall_s: float = 0.0
    """Seconds from the first attempt to the reply, with back-off, without waiting for a slot."""
    attempts: int = 1

    def to_record(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The reply as plain JSON types: its content, and the circumstances that no hash counts."""
        content = asdict(self)
        content["sampling"] = dict(self.sampling)
        return content, {name: content.pop(name) for name in _CIRCUMSTANCES}

    @classmethod
    def from_record(cls, content: Mapping[str, Any], circumstances: Mapping[str, Any]) -> Reply:
        """The reply that `to_record` gave."""
        both = {**content, **circumstances}
        known = {name: both[name] for name in (f.name for f in fields(cls)) if name in both}
        return cls(**{**known, "usage": Usage(**known["usage"])})


class ChatModel(Protocol):
    """Something that answers messages: an endpoint, a script, a recording."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, revision and sampling as plain JSON types; no address, no secret, no path."""

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        seed: int,
        call: Call | None = None,
    ) -> Reply:
        """The reply to `messages`.

        `schema` is the JSON schema that the answer should meet (whether it does is checked by the
        caller). `call` names the call for models that do not think: scripts and recordings. A
        reply without an answer is returned too (see `answer_of`); EndpointError,
        WrongModelError and AuthenticationError are raised where there is no reply.
        """


def answer_of(reply: Reply) -> str:
    """The text of a reply that holds one; LengthError, RefusalError or EmptyReplyError if not."""
    fault = _fault(reply)
    if fault is not None:
        raise fault
    return reply.text


def _fault(reply: Reply) -> ReplyError | None:
    if reply.finish_reason in _CUT:
        return LengthError(_CUT[reply.finish_reason].format(tokens=reply.usage.completion))
    if reply.refusal or reply.finish_reason == "content_filter":
        said = reply.refusal or "a filter held the reply back"
        return RefusalError(f"expected an answer, found a refusal: {said[:300]!r}")
    if not reply.text.strip():
        thought = " outside of the reasoning" if reply.reasoning else ""
        return EmptyReplyError(f"expected an answer, found no text{thought}")
    return None


def split_reasoning(text: str) -> tuple[str, str]:
    """A reply's text as (answer, reasoning): leading <think> blocks are reasoning.

    A block that is never closed is reasoning to the end. A `</think>` without its beginning
    closes reasoning too: some chat templates open it in the prompt (DeepSeek-R1's does).
    """
    thoughts: list[str] = []
    rest = text
    while match := _REASONING.match(rest):
        thoughts.append(match[2].strip())
        rest = rest[match.end() :]
    if not thoughts and "</think>" in rest and "<think>" not in rest:
        before, _, rest = rest.partition("</think>")
        thoughts.append(before.strip())
    return (rest.lstrip() if thoughts else rest), "\n\n".join(thoughts)


def call_seed(seed: int, call: Call) -> int:
    """The seed of one call, 31 bits: fixed by the point's seed, the stage and the call's number."""
    text = f"{seed}/{call.stage}/{call.number}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def first_difference(
    recorded: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]
) -> str:
    """A sentence that says which of two lists' messages differs first, and where; empty if none.

    Messages are given as mappings with role and content.
    """
    for number, (old, new) in enumerate(zip(recorded, found, strict=False), start=1):
        if old["role"] != new["role"]:
            return f"message {number}: expected role {old['role']!r}, found {new['role']!r}"
        before, after = str(old["content"]), str(new["content"])
        if before != after:
            shorter = min(len(before), len(after))
            at = next((i for i in range(shorter) if before[i] != after[i]), shorter)
            part = slice(max(0, at - 30), at + 30)
            return (
                f"message {number} ({new['role']}) differs at character {at}: expected "
                f"{before[part]!r}, found {after[part]!r}"
            )
    if len(recorded) != len(found):
        return f"expected {len(recorded)} messages, found {len(found)}"
    return ""
