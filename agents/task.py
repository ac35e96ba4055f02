"""What a stage asks for, as the loop sees it, and the bench on which its solutions are tried."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from agents.evidence import Evidence, Finding, HintViolation

__all__ = ["Evidence", "Finding", "Hint", "HintViolation", "Task", "Workbench"]


@dataclass(frozen=True)
class Hint:
    """One piece of advice of a task, with the name of the check that sees it broken."""

    id: str
    text: str


@dataclass(frozen=True)
class Task:
    """Everything the loop knows of a stage; the same bytes every time.

    `purpose` is the rendered task.md; `contract` says what the module must define. Neither may
    hold a time, a path, or anything whose order is not fixed: prompts are hashed, cached,
    recorded and learned by heart.
    """

    stage: str
    purpose: str
    contract: str
    hints: tuple[Hint, ...] = ()

    def __post_init__(self) -> None:
        names = [hint.id for hint in self.hints]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected every hint of {self.stage!r} once, found twice: {twice}")

    def to_dict(self) -> dict[str, Any]:
        """The task as plain JSON types."""
        return asdict(self)

    @property
    def sha256(self) -> str:
        """SHA-256 of the task's canonical JSON, as 64 hex digits."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


class Workbench(Protocol):
    """Where a solution is tried: contract, a sandboxed run on a slice, the physics validators."""

    def try_solution(self, code: str) -> Evidence:
        """What trying `code` showed.

        A failure of the code is evidence; a failure of the bench itself (no sandbox, no disk, no
        data) is a WorkbenchError, or evidence whose attribution is not the model.
        """
