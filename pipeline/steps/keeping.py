"""Keeping what writing a stage came to: the frozen solution, its trajectory, and its cost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pipeline.files import replacing, sha256_file, write_json
from pipeline.steps.context import Place

NO_ATTEMPTS = {
    "schema": 1,
    "rounds": 0,
    "api_calls": 0,
    "tokens": {"prompt": 0, "completion": 0},
    "wall_s": 0.0,
    "failure": None,
}
"""What is spent on a stage for which no model is asked."""

DIALOGUES = Path("dialogues")
"""Trajectories while they grow. Snakemake removes what a rule was making when it failed, and
nothing that was answered, and perhaps paid for, may be lost with it."""


def keep(place: Place, code: str | None, attempts: dict[str, Any]) -> None:
    """Freeze the code under its hash, and put it, its trajectory and its cost into the stage."""
    solution = place.folder / "solution.py"
    if code is None:
        said = (attempts["failure"] or {}).get("category") or attempts["notes"][0]
        _write(solution, f"# There is no solution of {place.stage}: {said}. See attempts.json.\n")
    else:
        _write(solution, code)
        _write(Path("solutions") / f"{sha256_file(solution)}.py", code)
    dialogue = DIALOGUES / place.owner / f"{place.stage}.jsonl"
    with replacing(place.folder / "trajectory.jsonl") as temporary:
        if dialogue.exists():
            shutil.copyfile(dialogue, temporary)
        else:
            temporary.write_text("", encoding="utf-8")  # no message was exchanged
    write_json(place.folder / "attempts.json", attempts)


def _write(path: Path, code: str) -> None:
    """Write code, read-only."""
    with replacing(path) as temporary:
        temporary.write_text(code, encoding="utf-8")
    path.chmod(0o444)
