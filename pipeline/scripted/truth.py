"""What scripted models come to, known before anything runs: from the draws and from data alone.

`<script>/expected.yaml` states the result of each stage that a script writes. It holds for the
analysis of `DATA`, and is shown on real runs by tests; nothing here looks at a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.models import trial_seed
from pipeline.scripted.scripts import HERE, SOLVES
from pipeline.scripted.skill import choose

DATA = ("channel=hyy", "data=synthetic", "data.luminosity=0.05", "chain=isolated",
        "model=scripted", "solver=agent")  # fmt: skip
"""Overrides that give the analysis for which the expected results hold."""
FILE = "expected.yaml"


class TruthError(ValueError):
    """The expected result of a script is not stated, or not in the stated form."""


@dataclass(frozen=True)
class Expected:
    """The result of a script in one stage."""

    outcome: str
    """passed or failed."""
    rung: str | None
    category: str | None
    cause: str | None
    """Category of the last error itself, where `category` says how the loop ended."""
    attribution: str | None
    rounds: int
    api_calls: int
    found_by: str | None
    """Who found the failure: bench (in a round) or judge (of what was accepted)."""
    hints: tuple[str, ...] = ()
    """Hints that were not followed, sorted."""


@dataclass(frozen=True)
class ExpectedCell:
    """What one trial of a skill comes to in one stage."""

    model: str
    stage: str
    trial: int
    variant: str
    """The script that is drawn."""
    result: Expected

    def row(self) -> dict[str, Any]:
        """All members in one flat dict, as a line of a table."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "result"}
        return {**own, **asdict(self.result)}


def expected_cells(
    skills: Iterable[str], stages: Iterable[str], trials: Iterable[int], seed: int = 42
) -> tuple[ExpectedCell, ...]:
    """The exact result of every (skill, stage, trial), skills first, for settings `seed`.

    SettingsError for an unknown skill, SkillError and TruthError where a file does not say enough.
    """
    stages, trials = tuple(stages), tuple(trials)
    cells = []
    for skill in skills:
        for stage in stages:
            for trial in trials:
                script = choose(skill, stage, trial_seed(seed, trial))
                cells.append(ExpectedCell(skill, stage, trial, script, expected(script, stage)))
    return tuple(cells)


def expected(script: str, stage: str) -> Expected:
    """What a script comes to in a stage: as its own file says, else (like its replies) `solves`."""
    for name in dict.fromkeys((script, SOLVES)):
        found = read_expected(HERE / name / FILE)
        if stage in found:
            return found[stage]
    raise TruthError(
        f"expected the result of {script!r} in {stage}, found none in its {FILE} nor in that of "
        f"{SOLVES!r}; run it and state it there"
    )


@cache
def read_expected(path: Path) -> Mapping[str, Expected]:
    """Stage -> result, as a file states them; empty where there is no such file.

    TruthError says which member is missing or too many.
    """
    if not path.is_file():
        return {}
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    where = f"{path.parent.name}/{path.name}"
    return {stage: _expected(f"{where}, {stage}", given) for stage, given in content.items()}


def _expected(where: str, given: Mapping[str, Any]) -> Expected:
    try:
        made = Expected(**{**given, "hints": tuple(given.get("hints", ()))})
    except TypeError as error:
        names = ", ".join(f.name for f in fields(Expected))
        raise TruthError(
            f"expected {names} in {where}, found {', '.join(given)}; correct it there"
        ) from error
    failed = made.outcome == "failed"
    if (
        made.outcome not in ("passed", "failed")
        or failed == (made.category is None)
        or failed == (made.rung is not None)
    ):
        raise TruthError(
            f"expected a rung exactly for outcome passed and a category for outcome failed in "
            f"{where}, found outcome {made.outcome!r}, rung {made.rung!r} and category "
            f"{made.category!r}; correct it there"
        )
    return made
