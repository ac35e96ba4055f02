"""The supervisor: instructs the coder before the first round, reviews the evidence of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from agents.prompting import prompt
from agents.replies import Fault, json_object
from agents.rounds import Advice, History, Review
from agents.session import Session

_SENTENCES = {"type": "array", "maxItems": 20, "items": {"type": "string"}}
INSTRUCTIONS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["instructions", "pitfalls"],
    "properties": {"instructions": _SENTENCES, "pitfalls": _SENTENCES},
}
REVIEW_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["decision", "reasons", "instructions"],
    "properties": {
        "decision": {"type": "string", "enum": ["accept", "revise"]},
        "reasons": _SENTENCES,
        "instructions": _SENTENCES,
    },
}


class Supervisor:
    """One stage's supervisor; what it got wrong itself is in `errors`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.errors: list[str] = []

    def instruct(self) -> Advice:
        """Instructions for the first round; empty ones if the reply could not be read."""
        messages = prompt("instruct", self._session.task)
        read = partial(json_object, schema=INSTRUCTIONS_SCHEMA)
        answer = self._session.ask("supervisor", messages, read, INSTRUCTIONS_SCHEMA)
        if isinstance(answer, Fault):
            self._unreadable("instructions", answer)
            return Advice()
        return Advice(tuple(answer["instructions"]), tuple(answer["pitfalls"]))

    def review(self, history: History) -> Review:
        """What it says of the last round; `revise` without advice if that could not be read."""
        last = history.last
        messages = prompt(
            "review",
            self._session.task,
            number=last.number,
            max_rounds=self._session.limits.max_rounds,
            earlier=history.rounds[:-1],
            instructions=last.advice.instructions,
            code=last.code,
            evidence=last.evidence,
            repeated=history.same_error(),
        )
        read = partial(json_object, schema=REVIEW_SCHEMA)
        answer = self._session.ask("supervisor", messages, read, REVIEW_SCHEMA)
        if isinstance(answer, Fault):
            self._unreadable("review", answer)
            return Review("revise")
        if answer["decision"] == "accept" and not last.evidence.ok:
            self.errors.append(
                f"round {last.number}: accepted what had failed ({last.evidence.headline})"
            )
        advice = Advice(tuple(answer["instructions"]), reasons=tuple(answer["reasons"]))
        return Review(answer["decision"], advice)

    def _unreadable(self, what: str, fault: Fault) -> None:
        number = self._session.spent.rounds
        self.errors.append(f"round {number}: {what} could not be read ({fault.sentence})")
