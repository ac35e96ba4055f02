"""What was said, written and found in the rounds of a trial, as parts that a page can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.errors import TrajectoryError
from agents.evidence import Evidence
from pipeline.dialogue import DialogueRound, Turn, read_dialogue
from pipeline.sweep_page.pieces import Pieces


@dataclass(frozen=True)
class Part:
    """One thing that was said or found; `kind` says how it is shown."""

    kind: str
    """instructions, words, code, evidence, printed, review or unread."""
    title: str
    text: str
    tone: str = ""
    """good or bad, where it is one."""
    line: int | None = None
    """Number (from 1) of the line of code that the error came from."""


@dataclass(frozen=True)
class RoundParts:
    """One round with its calls and tokens."""

    number: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Conversation:
    """The rounds of a trial; `note` says what could not be read."""

    rounds: tuple[RoundParts, ...] = ()
    faults: int = 0
    """Faults of the machinery that were met on the way."""
    note: str = ""

    def to_json(self, pieces: Pieces, group: str, cap: int) -> dict[str, Any]:
        """The rounds with the addresses of their texts, together at most `cap` characters.

        The longest texts are cut first, so that one endless reply does not hide the others.
        """
        every = [part for this in self.rounds for part in this.parts]
        most = level([len(part.text) for part in every], cap)
        rounds = [
            {
                "n": this.number,
                "calls": this.calls,
                "tokens": [this.prompt_tokens, this.completion_tokens],
                "parts": [_part(part, most, pieces, group) for part in this.parts],
            }
            for this in self.rounds
        ]
        return {"rounds": rounds, "faults": self.faults, "note": self.note}


def conversation(path: Path) -> Conversation:
    """The rounds in a trajectory file; empty if there is none, with a note if it is damaged."""
    try:
        dialogue = read_dialogue(path)
    except (TrajectoryError, KeyError, TypeError, ValueError, OSError) as error:
        return Conversation(note=f"The recorded dialogue cannot be read: {error}")
    return Conversation(tuple(_round(r) for r in dialogue.rounds), len(dialogue.faults))


def level(lengths: Sequence[int], cap: int) -> int:
    """The largest length that each text may have so that all together have at most `cap`."""
    left, most = cap, max(lengths, default=0)
    if sum(lengths) <= cap:
        return most
    ascending = sorted(lengths)
    for position, length in enumerate(ascending):
        share = left // (len(ascending) - position)
        if length > share:
            return share
        left -= length
    return most


def _part(part: Part, most: int, pieces: Pieces, group: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"k": part.kind, "t": part.title}
    text = part.text
    if len(text) > most:
        shown["cut"] = len(text) - most
        text = text[:most]
    shown["x"] = pieces.add(text, group)
    if part.tone:
        shown["tone"] = part.tone
    if part.line is not None:
        shown["line"] = part.line
    return shown


def _round(this: DialogueRound) -> RoundParts:
    turns = (*this.instructed, *this.written, *this.reviewed)
    return RoundParts(
        number=this.number,
        calls=len(turns),
        prompt_tokens=sum(turn.reply.usage.prompt for turn in turns),
        completion_tokens=sum(turn.reply.usage.completion for turn in turns),
        parts=(*_instructions(this), *_written(this), *_evidence(this), *_review(this)),
    )


def _instructions(this: DialogueRound) -> list[Part]:
    if not this.instructed:
        return []
    advice = this.advice
    if advice is None:
        return [_unread("Supervisor's instructions", this.instructed)]
    lines = [*advice.instructions, *(f"Pitfall: {text}" for text in advice.pitfalls)]
    text = "\n".join(lines) or "no instructions"
    return [Part("instructions", "Supervisor's instructions", text)]


def _written(this: DialogueRound) -> list[Part]:
    if not this.written:
        return []
    if this.code is None:
        return [_unread("Coder's reply", this.written)]
    again = len(this.written) - 1
    title = "Coder's module" + (
        f" (after {again} {'reply' if again == 1 else 'replies'} that could not be read)"
        if again
        else ""
    )
    line = this.evidence.line if this.evidence is not None else None
    words = _words(this.written[-1].reply.text, this.code)
    said = [Part("words", "Coder's words", words)] if words else []
    return [*said, Part("code", title, this.code, line=line)]


def _words(reply: str, code: str) -> str:
    """What a reply says around its module; empty where it is the module alone."""
    before, found, after = reply.partition(code.strip())
    if not found:
        return ""
    return "\n".join(
        line for line in f"{before}\n{after}".splitlines()
        if line.strip() and not line.lstrip().startswith(("```", "~~~"))
    )  # fmt: skip


def _evidence(this: DialogueRound) -> list[Part]:
    shown = this.evidence
    if shown is None:
        return [Part("evidence", "Evidence", "The module was not tried.")]
    failed = [
        f"failed: {f.name}: expected {f.expected}, found {f.found}" for f in shown.failed_findings
    ]
    passed = [
        f"passed: {f.name}" + (f" ({f.found})" if f.found else "")
        for f in shown.findings
        if f.passed
    ]
    hints = [
        f"hint not followed: {v.hint}" + (f": {v.detail}" if v.detail else "")
        for v in shown.hint_violations
    ]
    text = "\n".join([*_ending(shown), *failed, *hints, *passed])
    printed = {"Output": shown.stdout.strip(), "Error output": shown.stderr.strip()}
    return [
        Part("evidence", "Evidence", text, "good" if shown.ok else "bad"),
        *(Part("printed", title, told) for title, told in printed.items() if told),
    ]


def _ending(shown: Evidence) -> list[str]:
    """How the try ended, where the failed findings do not say it."""
    if shown.failed_findings and not (shown.exception or shown.signal):
        return []
    return [f"{shown.headline[:1].upper()}{shown.headline[1:]}"]


def _review(this: DialogueRound) -> list[Part]:
    if not this.reviewed:
        return []
    review = this.review
    if review is None:
        return [_unread("Supervisor's review", this.reviewed)]
    told = [*review.advice.reasons, *(f"Next: {t}" for t in review.advice.instructions)]
    text = "\n".join(told) or "no reasons given"
    tone = "good" if review.accepts else "bad"
    return [Part("review", f"Supervisor's review: {review.decision}", text, tone)]


def _unread(title: str, turns: Sequence[Turn]) -> Part:
    """A reply that held nothing of what was asked for, as it came."""
    reply = turns[-1].reply
    text = reply.text or reply.refusal or f"(no text; finish_reason {reply.finish_reason!r})"
    return Part("unread", f"{title} (could not be read)", text, "bad")
