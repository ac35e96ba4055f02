"""A recorded trajectory, read back as rounds: what was asked, answered, tried and said of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.chat import Reply, answer_of
from agents.errors import ReplyError
from agents.evidence import Evidence
from agents.replies import Fault, json_object, python_block
from agents.rounds import Advice, Review, evidence_of
from agents.supervisor import INSTRUCTIONS_SCHEMA, REVIEW_SCHEMA
from agents.trajectory import Entry, read_entries


@dataclass(frozen=True)
class Turn:
    """One call of a stage: its running number, who was asked, and the reply."""

    number: int
    role: str
    reply: Reply


@dataclass(frozen=True)
class DialogueRound:
    """One round; `instructed` only in the first, where the supervisor speaks before the coder."""

    number: int
    instructed: tuple[Turn, ...]
    written: tuple[Turn, ...]
    code: str | None
    evidence: Evidence | None
    """None where the process ended before the module was tried."""
    reviewed: tuple[Turn, ...]

    @property
    def advice(self) -> Advice | None:
        """The instructions of the first round, if they can be read."""
        read = _last_object(self.instructed, INSTRUCTIONS_SCHEMA)
        if read is None:
            return None
        return Advice(tuple(read["instructions"]), tuple(read["pitfalls"]))

    @property
    def review(self) -> Review | None:
        """The supervisor's review, if there is one and it can be read."""
        read = _last_object(self.reviewed, REVIEW_SCHEMA)
        if read is None:
            return None
        advice = Advice(tuple(read["instructions"]), reasons=tuple(read["reasons"]))
        return Review(read["decision"], advice)


@dataclass(frozen=True)
class Dialogue:
    """A stage's rounds, with the faults of the machinery that were met on the way."""

    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Role -> identity of the model."""
    rounds: tuple[DialogueRound, ...] = ()
    faults: tuple[Mapping[str, Any], ...] = ()

    @property
    def calls(self) -> int:
        """Calls that were answered."""
        return sum(len(r.instructed) + len(r.written) + len(r.reviewed) for r in self.rounds)

    def round_of(self, code_sha256: str | None) -> DialogueRound | None:
        """The last round that tried the module with this hash; None if no round did."""
        tried = (r for r in reversed(self.rounds) if r.code is not None)
        return next((r for r in tried if _sha256(r.code or "") == code_sha256), None)


def read_dialogue(path: Path) -> Dialogue:
    """The dialogue in a trajectory file; one without rounds if the file is empty or not there.

    Raises agents.errors.TrajectoryError if the file is damaged.
    """
    if not path.is_file():
        return Dialogue()
    entries = read_entries(path)
    start = next((e.content for e in entries if e.kind == "start"), {})
    by_round: dict[int, _Collected] = {}
    current = _Collected()
    request: Mapping[str, Any] = {}
    for entry in entries:
        if entry.kind == "request":
            request = entry.content
            current = by_round.setdefault(int(request["round"]), _Collected())
        elif entry.kind == "reply":
            current.add(_turn(request, entry))
        elif entry.kind == "candidate":
            current = by_round.setdefault(int(entry.content["round"]), _Collected())
            current.code = str(entry.content["code"])
        elif entry.kind == "evidence":
            current.evidence = Evidence.from_dict(entry.content)
    return Dialogue(
        models=start.get("models", {}),
        rounds=tuple(found.round(number) for number, found in sorted(by_round.items())),
        faults=tuple(e.content for e in entries if e.kind == "fault"),
    )


class _Collected:
    """A round while its steps are read."""

    def __init__(self) -> None:
        self.instructed: list[Turn] = []
        self.written: list[Turn] = []
        self.reviewed: list[Turn] = []
        self.code: str | None = None
        self.evidence: Evidence | None = None

    def add(self, turn: Turn) -> None:
        if turn.role == "coder":
            self.written.append(turn)
        else:
            (self.reviewed if self.written else self.instructed).append(turn)

    def round(self, number: int) -> DialogueRound:
        evidence = self.evidence
        if self.code is None and evidence is None and self.written:
            evidence = _unreadable(self.written[-1].reply)
        return DialogueRound(
            number, tuple(self.instructed), tuple(self.written), self.code, evidence,
            tuple(self.reviewed),
        )  # fmt: skip


def _turn(request: Mapping[str, Any], entry: Entry) -> Turn:
    reply = Reply.from_record(entry.content, entry.circumstances)
    return Turn(int(request["number"]), str(request["role"]), reply)


def _unreadable(reply: Reply) -> Evidence | None:
    """The evidence of a round whose last reply held nothing to try; None if it holds a module."""
    try:
        found = python_block(answer_of(reply))
    except ReplyError as error:
        found = Fault(error.kind, str(error), error.category)
    return evidence_of(found) if isinstance(found, Fault) else None


def _last_object(turns: Sequence[Turn], schema: Mapping[str, Any]) -> dict[str, Any] | None:
    if not turns:
        return None
    read = json_object(turns[-1].reply.text, schema)
    return None if isinstance(read, Fault) else read


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
