"""What was said and tried in each stage, cut to a size that a page can hold."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agents.errors import TrajectoryError
from agents.evidence import Evidence
from pipeline.dialogue import Dialogue, DialogueRound, Turn, read_dialogue
from pipeline.report.folder import PointFolder
from pipeline.report.notation import whole
from pipeline.report.tables.run import in_order

MAX_STAGE = 180_000
"""Bytes of escaped text per stage; with the markup around it a stage stays below 200 kB."""
MAX_PART = 60_000
"""Bytes of escaped text per part, so that one endless reply does not hide all others."""
PER_PART, PER_LINE = 300, 40
"""Bytes of markup that a part, and a line of it, cost."""


@dataclass(frozen=True)
class Part:
    """Something that was said or found: a list of sentences, code, or plain text."""

    title: str
    kind: Literal["sentences", "code", "text"]
    lines: tuple[str, ...]
    marked: int | None = None
    """Number (from 1) of the line that the error came from."""
    tone: Literal["", "good", "bad"] = ""
    cut: int = 0
    """Characters that are left out at the end."""


@dataclass(frozen=True)
class RoundView:
    """One round."""

    number: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class StageDialogue:
    """The rounds of one stage; `note` says what is not shown."""

    stage: str
    summary: str
    failed: bool
    file: str
    rounds: tuple[RoundView, ...]
    note: str


def stage_dialogues(point: PointFolder) -> tuple[StageDialogue, ...]:
    """The dialogues of a point's stages that a model was asked for, in the stages' order."""
    found = []
    for stage, about in in_order(point):
        file = f"{point.base}/{stage}/trajectory.jsonl"
        try:
            dialogue, note = read_dialogue(point.run / file), ""
        except (TrajectoryError, KeyError, TypeError, ValueError) as error:
            dialogue, note = Dialogue(), f"The recorded dialogue cannot be read: {error}"
        if not dialogue.rounds and not note:
            continue
        count = len(dialogue.rounds)
        tokens = sum(about["tokens"].values())
        summary = (
            f"{about['outcome'].replace('_', ' ')}, {count} round{'' if count == 1 else 's'}, "
            f"{dialogue.calls} calls" + (f", {whole(tokens)} tokens" if tokens else "")
        )
        rounds, left_out = _cut([_round(r) for r in dialogue.rounds])
        if left_out:
            note = f"Cut here: {left_out} rounds more are in the file."
        failed = about["outcome"] == "failed"
        found.append(StageDialogue(stage, summary, failed, file, rounds, note))
    return tuple(found)


def _round(this: DialogueRound) -> RoundView:
    parts = [*_instructions(this), *_module(this), *_evidence(this), *_review(this)]
    return RoundView(this.number, tuple(parts))


def _instructions(this: DialogueRound) -> list[Part]:
    if not this.instructed:
        return []
    advice = this.advice
    if advice is None:
        return [_unread("Supervisor's instructions", this.instructed)]
    pitfalls = tuple(f"Pitfall: {text}" for text in advice.pitfalls)
    lines = (*advice.instructions, *pitfalls) or ("no instructions",)
    return [Part("Supervisor's instructions", "sentences", lines)]


def _module(this: DialogueRound) -> list[Part]:
    if not this.written:
        return []
    if this.code is None:
        return [_unread("Coder's reply", this.written)]
    lines = this.code.splitlines()
    again = len(this.written) - 1
    title = f"Coder's module, {len(lines)} lines" + (
        f" (after {again} reply that could not be read)" if again else ""
    )
    marked = this.evidence.line if this.evidence is not None else None
    return [Part(title, "code", tuple(lines), marked)]


def _evidence(this: DialogueRound) -> list[Part]:
    shown = this.evidence
    if shown is None:
        return [Part("Evidence", "sentences", ("The module was not tried.",))]
    findings = [_finding(f.name, f.passed, f.expected, f.found) for f in shown.findings]
    hints = [
        f"hint not followed: {v.hint}" + (f": {v.detail}" if v.detail else "")
        for v in shown.hint_violations
    ]
    lines = (*_ending(shown), *findings, *hints)
    parts = [Part("Evidence", "sentences", lines, tone="good" if shown.ok else "bad")]
    return [*parts, *_printed(shown)]


def _finding(name: str, passed: bool, expected: str, found: str) -> str:
    if passed:
        return f"passed: {name}" + (f" ({found})" if found else "")
    return f"failed: {name}: expected {expected}, found {found}"


def _ending(shown: Evidence) -> tuple[str, ...]:
    """How the try ended, where the failed findings do not say it."""
    if shown.failed_findings and not (shown.exception or shown.signal):
        return ()
    return (f"{shown.headline[:1].upper()}{shown.headline[1:]}",)


def _printed(shown: Evidence) -> list[Part]:
    texts = {"Output": shown.stdout.strip(), "Error output": shown.stderr.strip()}
    return [Part(t, "text", tuple(x.splitlines())) for t, x in texts.items() if x]


def _review(this: DialogueRound) -> list[Part]:
    if not this.reviewed:
        return []
    review = this.review
    if review is None:
        return [_unread("Supervisor's review", this.reviewed)]
    advice = (*review.advice.reasons, *(f"Next: {t}" for t in review.advice.instructions))
    lines = advice or ("no reasons given",)
    tone: Literal["good", "bad"] = "good" if review.accepts else "bad"
    return [Part(f"Supervisor's review: {review.decision}", "sentences", lines, tone=tone)]


def _unread(title: str, turns: Sequence[Turn]) -> Part:
    """A reply that held nothing of what was asked for, as it came."""
    reply = turns[-1].reply
    text = reply.text or reply.refusal or f"(no text; finish_reason {reply.finish_reason!r})"
    return Part(f"{title} (could not be read)", "text", tuple(text.splitlines()), tone="bad")


def _cut(rounds: Sequence[RoundView]) -> tuple[tuple[RoundView, ...], int]:
    """As many rounds as fit, the last parts cut, and the number of rounds that do not fit."""
    left = MAX_STAGE
    kept = []
    for this in rounds:
        if left <= 0:
            break
        parts = []
        for part in this.parts:
            shown, size = _cut_part(part, min(left - PER_PART, MAX_PART))
            left -= size + PER_PART
            parts.append(shown)
        kept.append(RoundView(this.number, tuple(parts)))
    return tuple(kept), len(rounds) - len(kept)


def _cut_part(part: Part, most: int) -> tuple[Part, int]:
    """The part with at most `most` bytes of escaped text and markup, and what it takes."""
    taken, kept = 0, []
    for line in part.lines:
        size = len(html.escape(line).encode()) + PER_LINE
        if taken + size > most:
            room = max(0, (most - taken - PER_LINE) // 8)  # a character escapes to 6 bytes at most
            kept.append(line[:room])
            rest = sum(len(text) + 1 for text in part.lines[len(kept) - 1 :]) - room
            cut = Part(part.title, part.kind, tuple(kept), part.marked, part.tone, cut=rest)
            return cut, taken + room * 8 + PER_LINE
        taken += size
        kept.append(line)
    return part, taken
