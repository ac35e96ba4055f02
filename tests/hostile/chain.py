"""A small synthetic analysis in a run directory, and code that goes through its real steps."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from agents.chat import ChatModel
from pipeline.agent_settings import SandboxLimits
from pipeline.configure import configure
from pipeline.data.synthetic import synthesize
from pipeline.files import read_json, write_json
from pipeline.freeze import freeze
from pipeline.progress import FOLDER as PROGRESS
from pipeline.settings import Settings, to_dict
from pipeline.stages.convert import warm
from pipeline.steps import adopt, execute, fileset, judge, solve

SLICE = 2_500
"""Rows or events that the bench shows here: less than there are, as in a real run."""
SLICES = {"convert": "EVENTS", "preprocess": "ROWS", "classify": "ROWS"}
"""Stage -> the name in its trial that says how many they are."""
DATA, SIGNAL = "data15_periodD", ("343981", "346214")
MARK = 20 + int.from_bytes(os.urandom(5)) / 1e13
"""A limit that stands in the command line of each sandbox of this session, and of no other."""
LIMITS = SandboxLimits(
    cpu_s=MARK, wall_s=20.0, memory_mb=1024, processes=12, file_mb=16, output_kb=64, writable_mb=48
)


def small_settings(outputs: Path) -> Settings:
    """H→γγ with one period of synthetic data and two processes, each stage judged on its own."""
    made = configure([
        "chain=isolated", "data.luminosity=20", "data.thinning=1", "data.chunk_size=4000",
        "model=scripted", "site.executor=inline", f"run.outputs={outputs}", "run.name=hostile",
    ])  # fmt: skip
    chosen = {DATA, *SIGNAL}
    processes = {
        name: replace(process, samples=tuple(s for s in process.samples if s in chosen))
        for name, process in made.channel.processes.items()
        if chosen & set(process.samples)
    }
    channel = replace(made.channel, processes=processes)
    return replace(made, channel=channel, site=replace(made.site, limits=LIMITS))


@dataclass(frozen=True)
class Ending:
    """What became of one solution."""

    folder: Path
    """The stage's folder of its point."""
    attempts: Mapping[str, Any]
    record: Mapping[str, Any] | None = None
    """None where the bench let nothing through."""
    verdict: Mapping[str, Any] | None = None

    @property
    def caught_by(self) -> str:
        """bench, judge, or nobody."""
        if self.attempts["failure"] is not None:
            return "bench"
        return "judge" if self.verdict and self.verdict["outcome"] != "passed" else "nobody"

    @property
    def failure(self) -> dict[str, Any]:
        """Category, attribution and evidence; empty if nothing failed."""
        said = self.attempts["failure"] or (self.verdict or {}).get("failure")
        return dict(said or {})


@dataclass(frozen=True)
class Chain:
    """A run directory whose reference is there, and a point for each solution."""

    folder: Path
    settings: Settings

    @classmethod
    def make(cls, outputs: Path) -> Chain:
        """The small analysis of this room."""
        return cls.of(small_settings(outputs), outputs)

    @classmethod
    def of(cls, settings: Settings, outputs: Path, later: Collection[str] = ()) -> Chain:
        """Synthetic files, the fileset, and what our own solutions make of them.

        Stages that are named `later` wait for `refer`.
        """
        chain = cls(outputs / settings.run.name, settings)
        [point] = freeze(settings, chain.folder).points
        (chain.folder / PROGRESS).mkdir(parents=True)
        names = [s for p in settings.channel.processes.values() for s in p.samples]
        files = f"fileset/{point.fileset}"
        records = [synthesize(settings, name, outputs / "synthetic") for name in names]
        write_json(chain.folder / f"{files}.synthetic.json", records)
        chain.step(fileset, "--settings", f"{files}.settings.json", "--output", f"{files}.json",
                   "--synthetic", f"{files}.synthetic.json")  # fmt: skip
        for stage in settings.stages:
            if stage not in later:
                chain.refer(stage)
        return chain

    def refer(self, stage: str) -> None:
        """What our own solution makes of a stage, unless it is there."""
        if not (self.folder / self.reference / stage / "record.json").exists():
            for step in (adopt, execute):
                self.step(step, "--owner", self.reference, "--stage", stage)

    @property
    def reference(self) -> str:
        """The owner of our own solutions' output."""
        return f"reference/{read_json(self.folder / 'sweep.json')['plan']['main']['reference']}"

    def solve(
        self,
        point: str,
        stage: str,
        model: ChatModel,
        limits: SandboxLimits = LIMITS,
        max_rounds: int = 1,
        judged: bool = True,
    ) -> Ending:
        """Have `model` write a stage; what was accepted is run over everything and judged."""
        settings = replace(
            self.settings,
            site=replace(self.settings.site, limits=limits),
            solver=replace(self.settings.solver, max_rounds=max_rounds),
        )
        self.add(point, settings)
        owner, folder = f"points/{point}", self.folder / "points" / point / stage
        with mock.patch.object(solve, "model_of", return_value=model), _small_slices(stage):
            self.step(solve, "--owner", owner, "--stage", stage)
        attempts = read_json(folder / "attempts.json")
        if attempts["failure"] is not None or not judged:
            return Ending(folder, attempts)
        try:
            self.step(execute, "--owner", owner, "--stage", stage)
            self.step(judge, "--point", point, "--stage", stage)
        finally:
            warm._close_all()  # what a worker of execute does when it ends
        record, verdict = (read_json(folder / f"{n}.json") for n in ("record", "verdict"))
        return Ending(folder, attempts, record, verdict)

    def add(self, point: str, settings: Settings) -> None:
        """One more point, with settings of its own, that reads the same files."""
        sweep = read_json(self.folder / "sweep.json")
        if point not in sweep["points"]:
            sweep["points"].append(point)
            sweep["plan"][point] = sweep["plan"]["main"]
            write_json(self.folder / "sweep.json", sweep)
        write_json(self.folder / "points" / point / "settings.json", to_dict(settings))

    def step(self, module: ModuleType, *arguments: str) -> None:
        """Run the `main` of a step with a command line, in the run directory."""
        with contextlib.chdir(self.folder), _command_line(module.__name__, *arguments):
            module.main()


@contextlib.contextmanager
def _command_line(*words: str) -> Iterator[None]:
    with mock.patch.object(sys, "argv", list(words)):
        yield


@contextlib.contextmanager
def _small_slices(stage: str) -> Iterator[None]:
    if stage not in SLICES:
        yield
        return
    with mock.patch(f"pipeline.stages.{stage}.trial.{SLICES[stage]}", SLICE):
        yield
