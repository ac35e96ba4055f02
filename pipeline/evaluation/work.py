"""How many calls of a stage went into rounds that were not accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.trajectory import read_entries
from pipeline.evaluation.cell import Outcome


def calls_lost(folder: Path, attempts: Mapping[str, Any], outcome: Outcome) -> int:
    """Calls of a stage's rounds other than the one whose module was frozen.

    All of them for a stage that failed, be it that no module was accepted or that the judge
    refused what was. A round's calls are those to the coder, to the supervisor who reviewed, and
    in the first round to the supervisor who instructed. The trajectory is read only where there
    was more than one round. Calls of a stage that is not judged yet are not lost.
    """
    calls = int(attempts.get("api_calls", 0))
    if outcome == "failed" or attempts.get("failure"):
        return calls
    if calls == 0 or attempts.get("rounds", 0) <= 1:
        return 0
    by_round, accepted = _rounds(folder / "trajectory.jsonl", attempts.get("code_sha256"))
    return calls - by_round[accepted]


def _rounds(path: Path, code_sha256: str | None) -> tuple[Counter[int], int]:
    """Answered calls by round, and the last round that tried the module with this hash."""
    by_round: Counter[int] = Counter()
    asked = accepted = 0
    for entry in read_entries(path):
        if entry.kind == "request":
            asked = int(entry.content["round"])
        elif entry.kind == "reply":
            by_round[asked] += 1
        elif entry.kind == "candidate" and entry.content["code_sha256"] == code_sha256:
            accepted = int(entry.content["round"])
    return by_round, accepted
