"""The errors of this room: what failed, whose fault it is, and the category it is counted under."""

from __future__ import annotations

from typing import ClassVar, Literal

Attribution = Literal["model", "endpoint", "infrastructure", "harness", "data"]
EndpointKind = Literal[
    "unreachable", "rate_limited", "server_error", "timeout", "bad_reply", "rejected"
]


class AgentError(Exception):
    """Root of the tree; `attribution` says whom it counts against, `category` how it is counted."""

    attribution: Attribution = "harness"
    category: str = "other"


class EndpointError(AgentError, ConnectionError):
    """The server of the model did not do its part; it never counts against the model.

    `transient` says whether trying again can help, `retry_after_s` what the server asked for.
    """

    attribution: Attribution = "endpoint"
    category = "endpoint error"

    def __init__(
        self,
        kind: EndpointKind,
        message: str,
        *,
        transient: bool = True,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: EndpointKind = kind
        self.transient = transient
        self.retry_after_s = retry_after_s


class WrongModelError(AgentError, LookupError):
    """The endpoint serves other models than the one that was asked for."""

    attribution: Attribution = "endpoint"
    category = "endpoint error"


class AuthenticationError(AgentError, PermissionError):
    """The endpoint did not accept the API key, or wants one."""

    attribution: Attribution = "endpoint"
    category = "endpoint error"


class ApiKeyError(AgentError, PermissionError):
    """The API key is not where the configuration says, or is not kept as a secret."""

    attribution: Attribution = "infrastructure"
    category = "infrastructure error"


class ModelSpecError(AgentError, ValueError):
    """The description of a model and its endpoint makes no sense."""


class SlotError(AgentError, OSError):
    """The folder that limits how many requests are under way cannot be used."""

    attribution: Attribution = "infrastructure"
    category = "infrastructure error"


class ReplyError(AgentError, ValueError):
    """The model replied, and the reply holds no answer."""

    attribution: Attribution = "model"
    kind: ClassVar[Literal["length", "refusal", "empty"]]


class LengthError(ReplyError):
    """The reply was cut before its end (`finish_reason` is length), or the prompt did not fit."""

    category = "length"
    kind = "length"


class RefusalError(ReplyError):
    """The model declined, or a filter held its reply back."""

    category = "refusal"
    kind = "refusal"


class EmptyReplyError(ReplyError):
    """The reply has no text outside of its reasoning."""

    category = "refusal"
    kind = "empty"


class WorkbenchError(AgentError, RuntimeError):
    """A solution could not be tried, for a reason that is not in the solution."""

    def __init__(self, message: str, attribution: Attribution = "harness") -> None:
        super().__init__(message)
        self.attribution = attribution
        if attribution == "infrastructure":
            self.category = "infrastructure error"
        elif attribution == "data":
            self.category = "bad input"


class TrajectoryError(AgentError, ValueError):
    """A trajectory file is not what this code wrote, or belongs to something else."""


class ReplayMismatch(AgentError, ValueError):  # noqa: N818 - the word of the design
    """A prompt is not the one that was recorded, so the recorded reply is no answer to it."""


class ScriptError(AgentError, LookupError):
    """A scripted model has no reply for a call."""
