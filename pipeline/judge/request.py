"""What the judge is asked: one stage of one point, where its files are and how its run ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.settings import Settings
from pipeline.stages.contract import StageContext


@dataclass(frozen=True)
class JudgeRequest:
    """One stage to be judged.

    `output` and `reference` are stage folders: each holds `output/` (what a solver may see) and,
    for some stages, `sealed/` (the blinded rows too). `record` is what execute wrote:
    `{"status": "ok"|"failed"|"not_reached"|"blocked", "failure": {...} | None}`.
    """

    stage: str
    settings: Settings
    fileset: Mapping[str, Any]
    solution_path: Path | None
    output: Path
    reference: Path
    upstream: Mapping[str, Path]
    reference_upstream: Mapping[str, Path]
    record: Mapping[str, Any]

    @property
    def is_reference(self) -> bool:
        """Whether the reference itself is judged, so that there is nothing to compare it with."""
        return self.settings.solver.name == "reference"

    def context(self, sealed: bool = False) -> StageContext:
        """What the solution read: its own upstream, with or without the blinded rows."""
        return StageContext(self.settings, self.fileset, self.upstream, sealed)

    def found(self, name: str) -> Path:
        """The solution's file `name`: the sealed one (all rows) where there is one."""
        return _complete(self.output, name)

    def expected(self, name: str) -> Path:
        """The reference's file `name`: the sealed one (all rows) where there is one."""
        return _complete(self.reference, name)


def _complete(stage_folder: Path, name: str) -> Path:
    sealed = stage_folder / "sealed" / name
    return sealed if sealed.exists() else stage_folder / "output" / name
