"""Names of the files of a run, and which of them each rule reads: the logic behind the rules."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.files import read_json
from pipeline.stages.order import needed, reads

NOTHING = "(?!)"
"""A pattern that fits nothing."""
STEP_STARTER = "LADON_STEP_STARTER"
"""Variable with the words that start a step quickly on this machine."""


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
    """Whether the events are synthetic; a label of everything that is shown."""
    workers: int
    parts: int = 1
    """Jobs that convert is cut into."""
    later: bool = False
    """Whether files are verified and counted by these jobs."""
    endpoint: tuple[str, int] | None = None
    """What answers its model's calls, and how many it answers at a time."""
    fetched: bool = False
    """Whether synthetic files are somewhere already, and need not be made first."""

    @property
    def made_here(self) -> bool:
        """Whether its files are synthetic ones that the run makes."""
        return self.synthetic and not self.fetched

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
    asked: tuple[str, ...] = ()
    """Points of a sweep that its newest command asked for; without a word all."""
    is_sweep: bool = False

    @classmethod
    def load(cls, path: Path | str) -> Layout:
        """The layout that freezing wrote to `sweep.json`."""
        return cls.from_dict(read_json(path))

    @classmethod
    def from_dict(cls, sweep: dict[str, Any]) -> Layout:
        """The layout of the content of a `sweep.json`."""
        endpoints = sweep.get("endpoints", {})
        points = tuple(
            _point(name, {**sweep["plan"][name], "endpoint": endpoints.get(name)})
            for name in sweep["points"]
        )
        return cls(
            sweep["run"],
            points,
            asked=tuple(sweep.get("asked", ())),
            is_sweep="choices" in sweep,
            **sweep.get("launch", {}),
        )

    @cached_property
    def wanted(self) -> tuple[PointPlan, ...]:
        """The points that are to be computed."""
        return tuple(p for p in self.points if not self.asked or p.name in self.asked)

    @cached_property
    def _by_name(self) -> dict[str, PointPlan]:
        return {p.name: p for p in self.points}

    @cached_property
    def _stages_of_reference(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for p in self.wanted:
            found.setdefault(p.reference, set()).update(p.stages)
        return found

    def targets(self) -> list[str]:
        """Every file that must be there in the end.

        Not the report alone: Snakemake leaves a file that is gone as it is if what was made from
        it is still there.
        """
        return [*self.expected(), "summary.json", "summary.csv"]

    def expected(self) -> list[str]:
        """Every file that the graph will make, for the progress display."""
        files: list[str] = []
        for p in self.wanted:
            files += [*self.synthetic_records(p.fileset), f"fileset/{p.fileset}.json"]
            for stage in self.reference_stages(p.reference):
                files.append(f"reference/{p.reference}/{stage}/record.json")
            for stage in p.stages:
                base = f"points/{p.name}/{stage}"
                files += [f"{base}/solution.py", f"{base}/record.json", f"{base}/verdict.json"]
            files.append(f"points/{p.name}/results.json")
        return list(dict.fromkeys([*files, "report.html"]))

    def point(self, name: str) -> PointPlan:
        return self._by_name[name]

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
        wanted = self._stages_of_reference.get(key, set())
        plan = self.of_reference(key)
        return needed([s for s in plan.channel_stages if s in wanted], plan.channel_stages)

    def synthetic_records(self, fileset: str) -> list[str]:
        """The records of synthetic files that a fileset is made from; none for real data."""
        plan = self.of_fileset(fileset)
        return [f"fileset/{fileset}.synthetic.json"] if plan.made_here else []

    def upstream(self, owner: str, stage: str) -> dict[str, str]:
        """Stage -> folder (relative to the run) that `owner`'s `stage` reads."""
        plan = self.plan_of(owner)
        source = owner if owner.startswith("reference/") else plan.upstream_owner
        # What a skim took the place of has no solver: it is there once, as the reference's.
        taken = f"reference/{plan.reference}"
        own = plan.stages if source == f"points/{plan.name}" else plan.channel_stages
        return {
            s: f"{source if s in own else taken}/{s}" for s in reads(stage, plan.channel_stages)
        }

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
        return [f"points/{p.name}/results.json" for p in self.wanted]

    def endpoints(self) -> dict[str, int]:
        """Name -> calls at a time of everything that answers calls of the points."""
        return {p.endpoint[0]: p.endpoint[1] for p in self.wanted if p.endpoint is not None}

    def dialogues(self) -> dict[str, Callable[[Any], int]]:
        """Endpoint -> what Snakemake asks how many of its dialogues a job takes."""

        def of(endpoint: str) -> Callable[[Any], int]:
            return lambda wildcards: self.endpoint_slots(wildcards.owner, endpoint)

        return {endpoint: of(endpoint) for endpoint in self.endpoints()}

    def endpoint_slots(self, owner: str, endpoint: str) -> int:
        """How many dialogues of an endpoint the solving of a stage of `owner` takes."""
        found = self.plan_of(owner).endpoint
        return int(found is not None and found[0] == endpoint)

    def solve_cores(self, owner: str) -> int:
        """Cores of this machine that a dialogue takes: none where it waits for an endpoint."""
        return int(self.plan_of(owner).endpoint is None)

    def part_options(self, fileset: str) -> str:
        """How the step that makes a fileset is to cut it."""
        plan = self.of_fileset(fileset)
        return f"--parts {plan.parts}{' --later' if plan.later else ''}"

    def part_records(self, owner: str) -> list[str]:
        """Records of the jobs whose work an owner's convert gathers."""
        plan = self.plan_of(owner)
        of = f"reference/{plan.reference}" if self.reuse_record(owner, "convert") else owner
        return [f"{of}/convert/parts/{number}.json" for number in range(plan.parts)]

    def whole(self) -> str:
        """Pattern of the owners whose convert is one job."""
        return self._owners(lambda plan: plan.parts == 1)

    def in_parts(self) -> str:
        """Pattern of the owners whose convert is cut into jobs."""
        return self._owners(lambda plan: plan.parts > 1)

    def cut(self) -> str:
        """Pattern of the filesets that are cut into parts."""
        return "|".join(dict.fromkeys(p.fileset for p in self.points if p.parts > 1)) or NOTHING

    def uncut(self) -> str:
        """Pattern of the filesets that stay in one."""
        return "|".join(dict.fromkeys(p.fileset for p in self.points if p.parts == 1)) or NOTHING

    def _owners(self, chosen: Callable[[PointPlan], bool]) -> str:
        plans = [p for p in self.points if chosen(p)]
        points = [f"points/{re.escape(p.name)}" for p in plans]
        return "|".join([*dict.fromkeys(f"reference/{p.reference}" for p in plans), *points]) or (
            NOTHING
        )

    def threads(self, owner: str) -> int:
        """Cores that converting on one node can use."""
        return self.plan_of(owner).workers

    def start(self, rule: str) -> str:
        """The beginning of the shell command of a rule's step.

        Where the run keeps a process that has everything imported, a step is a copy of that one;
        it comes in the environment, because it lasts no longer than this start of the run.
        """
        if rule in ("convert", "convert_part") and self.allocation:
            return f"{self.allocation} {self.python}"
        return os.environ.get(STEP_STARTER, self.python)

    def adopting(self) -> str:
        """Pattern of the owners whose solutions are our own, for which nobody is asked."""
        own = [f"points/{re.escape(p.name)}" for p in self.points if p.solver == "reference"]
        return "|".join([r"reference/[0-9a-f]{16}", *own])

    def asking(self) -> str:
        """Pattern of the owners whose solutions a model writes; one that fits nothing if none."""
        found = [f"points/{re.escape(p.name)}" for p in self.points if p.solver != "reference"]
        return "|".join(found) or NOTHING
