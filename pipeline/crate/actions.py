"""Actions: the run as a whole, and each step of it with what it read, made and took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from pipeline.crate.contents import DRAWN, REPORT, below
from pipeline.crate.software import context
from pipeline.crate.workflow import Workflow
from pipeline.files import read_json
from pipeline.workflow.layout import Layout

COMPLETED = "http://schema.org/CompletedActionStatus"
UNITS = {
    "wall_s": ("SEC", "time by the clock"), "cpu_s": ("SEC", "time of the processor"),
    "max_rss_mb": ("4L", "largest memory in use"),
    "prompt_tokens": ("C62", "tokens of prompts"),
    "completion_tokens": ("C62", "tokens of completions"), "api_calls": ("C62", "calls of a model"),
}  # fmt: skip
"""Resource -> code of its unit (UN/CEFACT; 4L is a megabyte, C62 is one) and what it is."""


@dataclass(frozen=True)
class Step:
    """One execution of a rule: names of files that it read and made, relative to the run."""

    rule: str
    about: str
    read: tuple[str, ...]
    made: tuple[str, ...]
    usage: Mapping[str, float] = field(default_factory=dict)


def steps_of(run: Path, layout: Layout) -> Iterator[Step]:
    """Every step that a finished run took, from its plan and files."""
    for key in sorted({plan.fileset for plan in layout.points}):
        plan = layout.of_fileset(key)
        settings = tuple(f"points/{p.name}/settings.json" for p in layout.points
                         if p.fileset == key)  # fmt: skip
        if plan.made_here:
            yield Step(
                "synthesize", f"samples of fileset {key}", settings, (f"fileset/{key}.json",)
            )
        yield Step("fileset", f"fileset {key}", settings, (f"fileset/{key}.json",))
    for key in sorted({plan.reference for plan in layout.points}):
        for stage in layout.reference_stages(key):
            yield from _stage(run, layout, f"reference/{key}", stage)
    for plan in layout.points:
        for stage in plan.stages:
            yield from _stage(run, layout, f"points/{plan.name}", stage)
            base = f"points/{plan.name}/{stage}"
            read = (f"{base}/record.json", f"reference/{plan.reference}/{stage}/record.json")
            yield Step("judge", base, read, (f"{base}/verdict.json",))
        results = f"points/{plan.name}/results.json"
        yield Step("collect", f"points/{plan.name}", tuple(layout.verdicts(plan.name)), (results,))
    made = [name for folder in DRAWN for name in below(run, folder)]
    yield Step("report", "the run", tuple(layout.results()), (*REPORT, *made))


def _stage(run: Path, layout: Layout, owner: str, stage: str) -> Iterator[Step]:
    """Writing and running one stage."""
    plan = layout.plan_of(owner)
    base = f"{owner}/{stage}"
    ours = owner.startswith("reference/") or plan.solver == "reference"
    attempts = _json(run / base / "attempts.json")
    spent = {"api_calls": attempts.get("api_calls", 0), "wall_s": attempts.get("wall_s", 0.0)}
    for name, count in (attempts.get("tokens") or {}).items():
        spent[f"{name}_tokens"] = count
    fileset = f"fileset/{plan.fileset}.json"
    record = _json(run / base / "record.json")
    frozen = f"solutions/{record.get('solution_sha256')}.py"
    kept = ("solution.py", "trajectory.jsonl", "attempts.json")
    written = (*(f"{base}/{name}" for name in kept), frozen)
    yield Step("adopt" if ours else "solve", base, (fileset,), written,
               {} if ours else spent)  # fmt: skip
    files = record.get("files", {})
    before = layout.upstream_records(owner, stage)
    usage = {k: v for k, v in _json(run / base / "timing.json").items() if k in UNITS}
    yield Step(
        "convert" if stage == "convert" else "execute", base,
        (f"{base}/solution.py", fileset, *before),
        (f"{base}/record.json", *(f"{base}/{name}" for name in files)), usage,
    )  # fmt: skip


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_json(path) if path.is_file() else {}
    return found


@dataclass(frozen=True)
class Script:
    """What actions are written with: crate, workflow, files by name, models by what they wrote."""

    crate: ROCrate
    run: Path
    workflow: Workflow
    files: Mapping[str, Entity]
    models: Mapping[str, ContextEntity | None]
    agent: ContextEntity | None

    def step(self, number: int, step: Step) -> tuple[ContextEntity, ContextEntity]:
        """One step: the action of its tool, and the engine's that controlled it."""
        model = self.models.get(step.about) if step.rule == "solve" else None
        action = context(
            self.crate,
            f"#action-{number}-{step.rule}",
            {
                "@type": "CreateAction",
                "name": f"{step.rule}: {step.about}",
                "description": f"The rule {step.rule} of the graph, for {step.about}.",
                "instrument": [self.workflow.tools[step.rule], *([model] if model else [])],
                "object": self._found(step.read) or None,
                "result": self._found(step.made) or None,
                "endTime": moment(self.run, step.made),
                "actionStatus": COMPLETED,
                "agent": self.agent,
                "resourceUsage": self._usage(number, step.usage) or None,
            },
        )
        control = context(
            self.crate,
            f"#control-{number}",
            {
                "@type": "ControlAction",
                "name": f"orchestrate {step.rule}: {step.about}",
                "instrument": self.workflow.steps[step.rule],
                "object": action,
                "actionStatus": COMPLETED,
            },
        )
        return action, control

    def whole(self, about: str, read: Sequence[str], made: Sequence[str]) -> ContextEntity:
        """The run as a whole."""
        return context(
            self.crate,
            "#run",
            {
                "@type": "CreateAction",
                "name": about,
                "description": "One run of the graph, from its frozen settings to its report.",
                "instrument": self.workflow.main,
                "object": self._found(read) or None,
                "result": self._found(made) or None,
                "startTime": _started(self.run, made),
                "endTime": moment(self.run, made),
                "actionStatus": COMPLETED,
                "agent": self.agent,
            },
        )

    def _found(self, names: Sequence[str]) -> list[Entity]:
        return [self.files[name] for name in names if name in self.files]

    def _usage(self, number: int, usage: Mapping[str, float]) -> list[ContextEntity]:
        return [
            context(
                self.crate,
                f"#usage-{number}-{name}",
                {"@type": "PropertyValue", "name": UNITS[name][1], "propertyID": name,
                 "unitCode": UNITS[name][0], "value": str(value)},
            )
            for name, value in usage.items()
        ]  # fmt: skip


def moment(run: Path, names: Sequence[str]) -> str | None:
    """When the last of these files was written, as the file system tells it."""
    there = [(run / name).stat().st_mtime for name in names if (run / name).is_file()]
    return _iso(max(there)) if there else None


def _started(run: Path, made: Sequence[str]) -> str | None:
    """When the run was last started; None if it does not say, or after its end."""
    began, ended = _json(run / "logs" / "started.json").get("time"), moment(run, made)
    if began is None or ended is None:
        return None
    return _iso(began) if _iso(began) <= ended else None


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
