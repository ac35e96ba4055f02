"""What happened in a stage so far: its rounds, their evidence, and what was said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from agents.evidence import Evidence, HintViolation
from agents.replies import Fault


@dataclass(frozen=True)
class Advice:
    """What the supervisor tells the coder before a round."""

    instructions: tuple[str, ...] = ()
    pitfalls: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """Why the last module was not accepted."""


@dataclass(frozen=True)
class Review:
    """What the supervisor says of a round's evidence."""

    decision: Literal["accept", "revise"]
    advice: Advice = field(default_factory=Advice)

    @property
    def accepts(self) -> bool:
        return self.decision == "accept"


@dataclass(frozen=True)
class Round:
    """One pass supervisor, coder, bench: the code, if there was any, and what trying it gave."""

    number: int
    code: str | None
    evidence: Evidence
    advice: Advice = field(default_factory=Advice)
    """What the supervisor had told the coder."""


class History:
    """The rounds of a stage, in order."""

    def __init__(self) -> None:
        self._rounds: list[Round] = []

    @property
    def rounds(self) -> Sequence[Round]:
        return tuple(self._rounds)

    @property
    def last(self) -> Round:
        """The last round; IndexError if there is none."""
        return self._rounds[-1]

    def add(self, this: Round) -> None:
        """Note a round that is over."""
        self._rounds.append(this)

    def same_error(self) -> tuple[int, ...]:
        """Numbers of the earlier rounds that failed with the error of the last one."""
        signature = self.last.evidence.signature
        if not signature:
            return ()
        return tuple(r.number for r in self._rounds[:-1] if r.evidence.signature == signature)

    @property
    def best(self) -> Round | None:
        """The last round whose evidence is ok."""
        return next((r for r in reversed(self._rounds) if r.evidence.ok), None)

    @property
    def hint_violations(self) -> tuple[HintViolation, ...]:
        """All hints that were not followed, with their rounds."""
        return tuple(
            replace(violation, round=r.number)
            for r in self._rounds
            for violation in r.evidence.hint_violations
        )


def evidence_of(fault: Fault) -> Evidence:
    """The evidence of a round whose reply held nothing to try."""
    return Evidence(
        ok=False,
        exception="ReplyError",
        message=f"{fault.kind}: {fault.sentence}",
        category=fault.category,
        attribution="model",
        tried=False,
    )
