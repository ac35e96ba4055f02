"""Run folders at any point of their life, made by hand as the steps make them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files import read_json, write_json
from pipeline.progress import FOLDER as PROGRESS
from pipeline.steps.errors import FOLDER as ERRORS
from pipeline.workflow.layout import Layout
from tests.pipeline.report.run_directory import frozen

POINT = "points/main"


@dataclass(frozen=True)
class RunFolder:
    """A run folder, and what its steps would write there."""

    path: Path
    layout: Layout

    @property
    def reference(self) -> str:
        return f"reference/{self.layout.points[0].reference}"

    @property
    def fileset(self) -> str:
        return self.layout.points[0].fileset

    def write(self, name: str, content: Any) -> None:
        write_json(self.path / name, content)

    def data(self, chunks: int) -> None:
        """The samples are made, and cut into chunks."""
        self.write(f"fileset/{self.fileset}.synthetic.json", [])
        self.write(f"fileset/{self.fileset}.json", {"chunks": [{"id": n} for n in range(chunks)]})

    def solved(self, owner: str, stage: str, **attempts: Any) -> None:
        solution = self.path / owner / stage / "solution.py"
        solution.parent.mkdir(parents=True, exist_ok=True)
        solution.write_text(f"STAGE = {stage!r}\n")
        plain = {
            "rounds": 1, "api_calls": 3, "tokens": {"prompt": 1000, "completion": 200},
            "wall_s": 2.5, "failure": None, "notes": [],
        }  # fmt: skip
        self.write(f"{owner}/{stage}/attempts.json", {**plain, **attempts})

    def executed(self, owner: str, stage: str, status: str = "ok", **record: Any) -> None:
        plain = {"status": status, "reason": None, "failure": None}
        self.write(f"{owner}/{stage}/record.json", {**plain, **record})
        self.write(f"{owner}/{stage}/timing.json", {"wall_s": 4.0, "max_rss_mb": 300.5})

    def judged(self, owner: str, stage: str, **verdict: Any) -> None:
        plain = {"outcome": "passed", "rung": "exact", "failure": None}
        self.write(f"{owner}/{stage}/verdict.json", {**plain, **verdict})

    def mark(self, output: str, job: str | None = None, age_s: float = 0.0) -> None:
        """Snakemake's mark that an output is being made."""
        name = urlsafe_b64encode(output.encode()).decode()
        path = self.path / ".snakemake" / "incomplete"
        parts = [name[i : i + 254] for i in range(0, len(name), 254)]
        for part in parts[:-1]:
            path = path / f"@{part}"
        path.mkdir(parents=True, exist_ok=True)
        path = path / parts[-1]
        path.write_text(json.dumps({"external_jobid": job}))
        os.utime(path, (time.time() - age_s,) * 2)

    def progress(self, name: str, done: int, total: int, events: int = 0) -> None:
        told = {"done": done, "total": total, "events": events, "events_per_s": 2500.0}
        self.write(f"{PROGRESS}/{name.replace('/', '-')}.json", told)

    def error(self, name: str, sentence: str, **told: Any) -> None:
        plain = {"step": name.partition("-")[0], "sentence": sentence, "log": f"logs/{name}.log"}
        self.write(f"{ERRORS}/{name}.json", {**plain, **told})

    def held_by(self, pid: int, host: str, job: str | None = None) -> None:
        (self.path / ".lock").write_text(json.dumps({"pid": pid, "host": host, "job": job}))

    def dialogue(self, stage: str, *entries: dict[str, Any]) -> Path:
        """Lines at the end of a growing dialogue of the point."""
        path = self.path / "dialogues" / POINT / f"{stage}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            for entry in entries:
                file.write(json.dumps({"circumstances": {}, **entry}) + "\n")
        return path

    def finish(self) -> None:
        """All that a run leaves that status looks at."""
        self.data(chunks=10)
        point = self.layout.points[0]
        for stage in self.layout.reference_stages(point.reference):
            self.solved(self.reference, stage, rounds=0, api_calls=0, tokens={})
            self.executed(self.reference, stage)
        for stage in point.stages:
            self.solved(POINT, stage)
            self.executed(POINT, stage)
            self.judged(POINT, stage)
        self.write(f"{POINT}/results.json", {})
        for name in ("report.html", "summary.json", "summary.csv"):
            (self.path / name).write_text("")

    def sweep(self, names: list[str]) -> RunFolder:
        """The same run with these points in place of its own."""
        content = read_json(self.path / "sweep.json")
        plan = content["plan"]["main"]
        content |= {"points": names, "plan": dict.fromkeys(names, plan)}
        self.write("sweep.json", content)
        for name in names:
            (self.path / "points" / name).mkdir()
        settings = (self.path / POINT / "settings.json").read_bytes()
        (self.path / "points" / names[0] / "settings.json").write_bytes(settings)
        return RunFolder(self.path, Layout.from_dict(content))


def run_folder(path: Path, *overrides: str) -> RunFolder:
    """A run that is frozen and has not begun, of the scripted model on synthetic data."""
    run = frozen(path / "shown", "solver=agent", "model=scripted", *overrides)
    return RunFolder(run.path, run.layout)


def ended_process() -> int:
    """The number of a process that was there and is gone."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid
