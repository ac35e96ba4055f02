"""What a step needs to find its way in a run directory: settings, fileset, folders, contracts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pipeline.files import read_json
from pipeline.settings import Settings, load
from pipeline.stages.contract import StageContext
from pipeline.workflow.layout import Layout, PointPlan

if TYPE_CHECKING:
    from pipeline.stages.jail import Jail


@dataclass(frozen=True)
class Place:
    """One stage of one owner, in the run directory that is the working directory."""

    owner: str
    stage: str
    layout: Layout

    @classmethod
    def at(cls, owner: str, stage: str) -> Place:
        return cls(owner, stage, Layout.load("sweep.json"))

    @property
    def plan(self) -> PointPlan:
        return self.layout.plan_of(self.owner)

    @property
    def folder(self) -> Path:
        return Path(self.owner) / self.stage

    @property
    def is_reference(self) -> bool:
        return self.owner.startswith("reference/")

    @property
    def reference_folder(self) -> Path:
        return Path("reference") / self.plan.reference / self.stage

    @property
    def fileset_path(self) -> Path:
        return Path("fileset") / f"{self.plan.fileset}.json"

    @property
    def parts_path(self) -> Path:
        """What counts the parts of the fileset, where convert is cut into jobs."""
        return Path("fileset") / f"{self.plan.fileset}.parts.json"

    def part(self, number: int) -> Path:
        """Folder of what one of the jobs of convert made."""
        return self.folder / "parts" / str(number)

    def part_record(self, number: int) -> Path:
        return self.folder / "parts" / f"{number}.json"

    def settings(self) -> Settings:
        return load(Path(self.owner) / "settings.json")

    def fileset(self) -> dict[str, Any]:
        content: dict[str, Any] = read_json(self.fileset_path)
        return content

    def upstream(self) -> dict[str, Path]:
        return {s: Path(f) for s, f in self.layout.upstream(self.owner, self.stage).items()}

    def reference_upstream(self) -> dict[str, Path]:
        owner = f"reference/{self.plan.reference}"
        return {s: Path(f) for s, f in self.layout.upstream(owner, self.stage).items()}

    def held_up(self) -> dict[str, Any] | None:
        """Status `not_reached` or `blocked`, with its reason, if a stage before has no output."""
        for stage, folder in self.upstream().items():
            before = read_json(folder / "record.json")
            if before["status"] == "blocked":
                return {"status": "blocked", "reason": before["reason"]}
            if before["status"] != "ok":
                reason = f"stage {stage} before it has no output"
                return {"status": "not_reached", "reason": reason}
        return None

    def jail(self) -> Jail:
        """Where this owner's solution runs; the reference is ours and trusted."""
        from pipeline.stages.jail import TRUSTED, Jail  # a second of imports, for few steps

        return TRUSTED if self.is_reference else Jail.of(self.settings())

    def context(self, sealed: bool) -> StageContext:
        return StageContext(self.settings(), self.fileset(), self.upstream(), sealed)


def why_blocked(module: ModuleType, context: StageContext) -> str | None:
    """Why the inputs make a stage pointless (an incomplete sample), or None."""
    blocked = getattr(module, "blocked", None)
    reason: str | None = None if blocked is None else blocked(context)
    return reason
