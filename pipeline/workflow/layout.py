"""Names of the files of a run, and which of them each rule reads: the logic behind the rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files import read_json
from pipeline.stages.order import needed, reads


@dataclass(frozen=True)
class PointPlan:
    """What the graph must know of one point."""

    name: str
    reference: str
    fileset: str
    stages: tuple[str, ...]
    channel_stages: tuple[str, ...]
    chain: str
    solver: str
    synthetic: bool
    """Whether the files have to be made first."""
    workers: int

    @property
    def upstream_owner(self) -> str:
        """Owner whose outputs this point's stages read."""
        if self.chain == "isolated":
            return f"reference/{self.reference}"
        return f"points/{self.name}"


def _point(name: str, plan: dict[str, Any]) -> PointPlan:
    """A plan from JSON, which has lists where a plan has tuples."""
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plan.items()}
    return PointPlan(name=name, **values)


@dataclass(frozen=True)
class Layout:
    """All points of a run; paths are relative to the run directory."""

    run: str
    points: tuple[PointPlan, ...]
    python: str = "python"
    """What a shell starts `-m pipeline.steps...` with: the interpreter, in its image if any."""
    allocation: str = ""
    """What starts the tasks of convert's allocation in a shell; empty where it has none."""

    @classmethod
    def load(cls, path: Path | str) -> Layout:
        """The layout that freezing wrote to `sweep.json`."""
        return cls.from_dict(read_json(path))

    @classmethod
    def from_dict(cls, sweep: dict[str, Any]) -> Layout:
        """The layout of the content of a `sweep.json`."""
        points = tuple(_point(name, sweep["plan"][name]) for name in sweep["points"])
        return cls(sweep["run"], points, **sweep.get("launch", {}))

    def targets(self) -> list[str]:
        """Every file that must be there in the end.

        Not the report alone: Snakemake leaves a file that is gone as it is if what was made from
        it is still there.
        """
        return [*self.expected(), "summary.json", "summary.csv"]

    def expected(self) -> list[str]:
        """Every file that the graph will make, for the progress display."""
        files: list[str] = []
        for p in self.points:
            files += [*self.synthetic_records(p.fileset), f"fileset/{p.fileset}.json"]
            for stage in self.reference_stages(p.reference):
                files.append(f"reference/{p.reference}/{stage}/record.json")
            for stage in p.stages:
                base = f"points/{p.name}/{stage}"
                files += [f"{base}/solution.py", f"{base}/record.json", f"{base}/verdict.json"]
            files.append(f"points/{p.name}/results.json")
        return list(dict.fromkeys([*files, "report.html"]))

    def point(self, name: str) -> PointPlan:
        return next(p for p in self.points if p.name == name)

    def of_reference(self, key: str) -> PointPlan:
        """Any point that uses this reference (they agree in all that it depends on)."""
        return next(p for p in self.points if p.reference == key)

    def of_fileset(self, key: str) -> PointPlan:
        return next(p for p in self.points if p.fileset == key)

    def plan_of(self, owner: str) -> PointPlan:
        """The plan of `points/<name>`, or of a point that uses `reference/<key>`."""
        kind, _, name = owner.partition("/")
        return self.point(name) if kind == "points" else self.of_reference(name)

    def reference_stages(self, key: str) -> tuple[str, ...]:
        """Stages of which the reference's output is needed by any point that uses it."""
        wanted = {s for p in self.points if p.reference == key for s in p.stages}
        plan = self.of_reference(key)
        return needed([s for s in plan.channel_stages if s in wanted], plan.channel_stages)

    def synthetic_records(self, fileset: str) -> list[str]:
        """The records of synthetic files that a fileset is made from; none for real data."""
        plan = self.of_fileset(fileset)
        return [f"fileset/{fileset}.synthetic.json"] if plan.synthetic else []

    def upstream(self, owner: str, stage: str) -> dict[str, str]:
        """Stage -> folder (relative to the run) that `owner`'s `stage` reads."""
        plan = self.plan_of(owner)
        source = owner if owner.startswith("reference/") else plan.upstream_owner
        return {s: f"{source}/{s}" for s in reads(stage, plan.channel_stages)}

    def upstream_records(self, owner: str, stage: str) -> list[str]:
        return [f"{folder}/record.json" for folder in self.upstream(owner, stage).values()]

    def solve_inputs(self, owner: str, stage: str) -> list[str]:
        """What writing a solution needs: what the stage will read."""
        records = self.upstream_records(owner, stage)
        plan = self.plan_of(owner)
        if stage == "convert" and "inspect" in plan.channel_stages:  # its summary is in the task
            records.append(f"{plan.upstream_owner}/inspect/record.json")
        return records

    def reuse_record(self, owner: str, stage: str) -> list[str]:
        """The reference's record of the same stage, where a point can take its result over."""
        plan = self.plan_of(owner)
        if owner.startswith("points/") and plan.solver == "reference":
            return [f"reference/{plan.reference}/{stage}/record.json"]
        return []

    def verdicts(self, point: str) -> list[str]:
        return [f"points/{point}/{s}/verdict.json" for s in self.point(point).stages]

    def results(self) -> list[str]:
        return [f"points/{p.name}/results.json" for p in self.points]

    def threads(self, owner: str) -> int:
        """Cores that converting on one node can use."""
        return self.plan_of(owner).workers

    def start(self, rule: str) -> str:
        """The beginning of the shell command of a rule's step."""
        if rule == "convert" and self.allocation:
            return f"{self.allocation} {self.python}"
        return self.python

    def adopting(self) -> str:
        """Pattern of the owners whose solutions are our own, for which nobody is asked."""
        own = [f"points/{re.escape(p.name)}" for p in self.points if p.solver == "reference"]
        return "|".join([r"reference/[0-9a-f]{16}", *own])

    def asking(self) -> str:
        """Pattern of the owners whose solutions a model writes; one that fits nothing if none."""
        found = [f"points/{re.escape(p.name)}" for p in self.points if p.solver != "reference"]
        return "|".join(found) or "(?!)"
