"""The dialogue of a stage while it grows: rounds, calls and tokens so far, and whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.status.reading import Reader, number_in
from pipeline.status.snapshot import Spent

FOLDER = "dialogues"
"""Where a run keeps trajectories while they grow (pipeline.steps.keeping)."""


@dataclass(frozen=True)
class Told:
    """What a dialogue tells so far."""

    rounds: int = 0
    spent: Spent = field(default_factory=Spent)
    doing: str | None = None
    """Whose turn it is, in words; None before the first call."""


class Dialogues:
    """The growing dialogues of a run, each line of them read once."""

    def __init__(self, run: Path, reader: Reader) -> None:
        self._folder, self._reader = run / FOLDER, reader
        self._told: dict[Path, Told] = {}

    def of(self, owner: str, stage: str) -> Told:
        """What the dialogue of this stage tells; nothing where none was begun."""
        path = self._folder / owner / f"{stage}.jsonl"
        anew, entries = self._reader.tail(path).read()
        told = Told() if anew else self._told.get(path, Told())
        for entry in entries:
            told = after(told, entry)
        self._told[path] = told
        return told


def after(told: Told, entry: Mapping[str, Any]) -> Told:
    """What is known after one more line of a trajectory (agents.trajectory)."""
    kind = entry.get("kind")
    rounds = told.rounds
    if kind in ("request", "candidate"):
        rounds = max(rounds, int(number_in(entry, "round") or 0))
    if kind == "request":
        who = str(entry.get("role", "model"))
        return Told(rounds, told.spent, f"round {rounds}: the {who} is asked")
    if kind == "reply":
        usage = entry.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        prompt, completion = (int(number_in(usage, n) or 0) for n in ("prompt", "completion"))
        return Told(rounds, told.spent.plus(Spent(1, prompt, completion)), told.doing)
    if kind == "candidate":
        return Told(rounds, told.spent, f"round {rounds}: its code is tried")
    if kind == "evidence":
        return Told(rounds, told.spent, f"round {rounds}: its code was tried")
    if kind == "fault":
        return Told(rounds, told.spent, f"round {rounds}: {entry.get('error', 'a fault')}")
    if kind == "outcome":
        return Told(rounds, told.spent, "the solution is frozen")
    return Told(rounds, told.spent, told.doing)
