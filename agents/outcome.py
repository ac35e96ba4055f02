"""How a stage ended: the code that is frozen, or why there is none, and what it took."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from agents.chat import Usage
from agents.errors import AgentError, Attribution
from agents.evidence import Evidence, HintViolation

ATTEMPTS_SCHEMA = 1
BY_EVIDENCE = "accepted by evidence, not by the supervisor"
Stop = Literal["accepted", "max_rounds", "no_progress", "limit"]


@dataclass(frozen=True)
class Failure:
    """Why a stage failed, in the words of the taxonomy, and whose fault it is."""

    category: str
    attribution: Attribution
    evidence: str
    cause: str | None = None
    """Category of the last error itself, where `category` says how the loop ended."""

    @classmethod
    def of_error(cls, error: AgentError) -> Failure:
        """The failure that an error of this room amounts to."""
        return cls(error.category, error.attribution, f"{type(error).__name__}: {error}")

    @classmethod
    def of_evidence(cls, evidence: Evidence) -> Failure:
        """The failure that a round's evidence amounts to; `other` where nobody classified it."""
        return cls(evidence.category or "other", evidence.attribution or "model", evidence.headline)


@dataclass(frozen=True)
class Outcome:
    """The end of one stage's rounds."""

    stage: str
    status: Literal["accepted", "failed"]
    stopped: Stop
    """What ended the rounds."""
    code: str | None
    """The module that is frozen; None exactly if the stage failed."""
    rounds: int
    api_calls: int
    tokens: Usage
    wall_s: float
    cost: float
    failure: Failure | None = None
    hint_violations: tuple[HintViolation, ...] = ()
    supervisor_errors: tuple[str, ...] = ()
    """Where the supervisor could not be read, or accepted what had failed."""
    notes: tuple[str, ...] = field(default=())

    @property
    def accepted(self) -> bool:
        return self.status == "accepted"

    @property
    def code_sha256(self) -> str | None:
        return None if self.code is None else hashlib.sha256(self.code.encode()).hexdigest()

    def content(self) -> dict[str, Any]:
        """The outcome without its code and without times: the same again in a replay."""
        record = asdict(self)
        for name in ("code", "wall_s", "cost"):
            del record[name]
        return {**record, "code_sha256": self.code_sha256}

    def to_attempts(self) -> dict[str, Any]:
        """The content of `attempts.json`; its `failure` has the three members of results.json."""
        failure = None if self.failure is None else asdict(self.failure)
        cause = None if failure is None else failure.pop("cause")
        return {
            "schema": ATTEMPTS_SCHEMA,
            "solver": "agent",
            **self.content(),
            "tokens": {"prompt": self.tokens.prompt, "completion": self.tokens.completion},
            "reasoning_tokens": self.tokens.reasoning,
            "failure": failure,
            "cause": cause,
            "wall_s": self.wall_s,
            "cost": self.cost,
        }
