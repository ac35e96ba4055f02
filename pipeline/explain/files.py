"""The files that one stage of one point left, read as far as they are there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.errors import TrajectoryError
from pipeline.dialogue import Dialogue, DialogueRound, read_dialogue
from pipeline.files import RunFileError, read_json


@dataclass
class StageFiles:
    """What there is of a stage; None where a file is not there."""

    run: Path
    base: str
    verdict: dict[str, Any] | None = None
    record: dict[str, Any] | None = None
    attempts: dict[str, Any] | None = None
    dialogue: Dialogue = field(default_factory=Dialogue)
    remarks: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, run: Path, owner: str, stage: str) -> StageFiles:
        """Read all that is there; what is damaged becomes a remark."""
        found = cls(run, f"{owner}/{stage}")
        found.verdict, found.record, found.attempts = (
            found.json(name) for name in ("verdict.json", "record.json", "attempts.json")
        )
        frozen = run / found.base / "trajectory.jsonl"
        live = run / "dialogues" / owner / f"{stage}.jsonl"
        try:
            found.dialogue = read_dialogue(frozen if frozen.is_file() else live)
        except (TrajectoryError, KeyError, TypeError, ValueError) as error:
            found.remarks.append(f"the record of its rounds cannot be read: {error}")
        return found

    def json(self, name: str) -> dict[str, Any] | None:
        path = self.run / self.base / name
        if not path.is_file():
            return None
        try:
            content = read_json(path)
        except RunFileError as error:
            self.remarks.append(str(error))
            return None
        return content if isinstance(content, dict) else None

    def text(self, name: str) -> str:
        path = self.run / self.base / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def where(self, stage: str, point: str) -> tuple[str, ...]:
        """The files worth a look that are there and not empty, relative to the run."""
        own = ("trajectory.jsonl", "solution.py", "failure.txt", "verdict.json", "record.json")
        names = [f"{self.base}/{name}" for name in own]
        names += [f"dialogues/{self.base}.jsonl"] if not (self.run / names[0]).is_file() else []
        names += [f"logs/{step}/{self.base}.log" for step in ("solve", "execute")]
        names.append(f"logs/judge/{point}/{stage}.log")
        return tuple(n for n in names if (self.run / n).is_file() and (self.run / n).stat().st_size)

    @property
    def accepted(self) -> DialogueRound | None:
        """The round whose module was frozen, if it is known."""
        return self.dialogue.round_of((self.attempts or {}).get("code_sha256"))
