"""What is learned: the prompts and replies recorded in trajectory files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class DialogueError(ValueError):
    """The recorded dialogues cannot be learned by heart."""


@dataclass(frozen=True)
class Dialogue:
    """One call: its messages (role and content) and the reply, without white space around it."""

    messages: tuple[Mapping[str, str], ...]
    reply: str
    where: str
    """File name and number of the call, for error messages."""


def read_dialogues(paths: Sequence[Path]) -> list[Dialogue]:
    """All calls of the trajectory files `paths` that were answered, each once, in order.

    Raises DialogueError if there is none, or one whose reply is empty or was cut: a model cannot
    be taught to be cut.
    """
    found: dict[str, Dialogue] = {}
    for path in paths:
        for dialogue in _answered(path):
            found.setdefault(digest([dialogue]), dialogue)
    if not found:
        names = ", ".join(f"'{path}'" for path in paths)
        raise DialogueError(
            f"expected at least one answered request in {names}, found none; give the "
            "trajectory.jsonl files of a run whose model is a script"
        )
    return list(found.values())


def digest(dialogues: Iterable[Dialogue]) -> str:
    """SHA-256 over what is said in the dialogues, as 64 hex digits."""
    said = [[[dict(m) for m in dialogue.messages], dialogue.reply] for dialogue in dialogues]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def check_distinct(rendered: Sequence[str], dialogues: Sequence[Dialogue]) -> None:
    """DialogueError if two dialogues look the same to the model and have different replies.

    `rendered` holds what the model sees of each dialogue's messages.
    """
    seen: dict[str, Dialogue] = {}
    for prompt, dialogue in zip(rendered, dialogues, strict=True):
        first = seen.setdefault(prompt, dialogue)
        if first.reply != dialogue.reply:
            raise DialogueError(
                "expected every prompt to select its reply, found two that look the same to the "
                f"model and have different replies: {first.where} and {dialogue.where}, both "
                f"{prompt[-120:]!r} at their end; teach them to two models"
            )


def _answered(path: Path) -> list[Dialogue]:
    dialogues = []
    request: Mapping[str, Any] | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        entry = json.loads(line)
        if entry["kind"] == "request":
            request = entry
        elif entry["kind"] == "reply" and request is not None:
            dialogues.append(_dialogue(request, entry, f"'{path}', line {number}"))
            request = None
    return dialogues


def _dialogue(request: Mapping[str, Any], reply: Mapping[str, Any], where: str) -> Dialogue:
    text = str(reply["text"]).strip()
    if reply["finish_reason"] != "stop" or not text:
        raise DialogueError(
            "expected a complete reply with a text, found one of "
            f"{len(text)} characters that ended by {reply['finish_reason']!r} ({where}); record "
            "the dialogues with a script whose replies are complete"
        )
    messages = tuple({"role": m["role"], "content": m["content"]} for m in request["messages"])
    return Dialogue(messages, text, where)
