"""Runs given with `sbatch launch.sh` on the testbed, watched and hurt by tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.slurm.jobs import Job, jobs_of, tag_of
from pipeline.files import read_json
from tests.slurm.conftest import ENDED, REPOSITORY, run

LAUNCH = REPOSITORY / "launch.sh"


@dataclass(frozen=True)
class Launched:
    """A controller job and the run that it is for."""

    job: str
    output: Path
    folder: Path

    @property
    def state(self) -> str:
        return run("squeue", "--noheader", "--states=all", f"--jobs={self.job}", "--format=%T")

    @property
    def text(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    @property
    def jobs(self) -> list[Job]:
        """The run's own jobs in the queue."""
        return jobs_of(tag_of(self.folder))

    def job_of(self, rule: str) -> Job | None:
        """The first running job of a rule."""
        found = [j for j in self.jobs if j.comment.startswith(f"rule_{rule}") and j.node]
        return found[0] if found else None

    def ended(self, seconds: float = 1200) -> int:
        """Wait for its end; the exit code. Fails with its output if it does not end."""
        self.until(lambda: self.state in ENDED, "the controller to end", seconds)
        told = run("scontrol", "show", "job", self.job)
        found = re.search(r"ExitCode=(\d+):(\d+)", told)
        assert found, told
        return int(found[1])

    def succeeded(self, seconds: float = 1200) -> str:
        """Wait for a good end; what it printed."""
        code = self.ended(seconds)
        assert code == 0, f"exit code {code}: {self.text}\n{self.log[-6000:]}"
        return self.text

    def left_nothing(self) -> None:
        """No job of the run is in the queue a few seconds after its end."""
        self.until(lambda: not self.jobs, f"no job of {self.folder.name} in the queue", 20)

    def until(self, true: Callable[[], Any], what: str, seconds: float) -> Any:
        """What `true` comes to, as soon as it is something."""
        end = time.monotonic() + seconds
        while not (found := true()):
            assert time.monotonic() < end, f"expected {what} within {seconds} s: {self.text}"
            time.sleep(0.3)
        return found

    def converting(self, chunks: int = 3, seconds: float = 240) -> Job:
        """The job of convert, as soon as some chunks are done and some are not."""

        def going() -> Job | None:
            for path in (self.folder / "logs" / "progress").glob("*convert.json"):
                try:
                    told = json.loads(path.read_text())
                except (OSError, ValueError):
                    continue
                if chunks <= told["done"] < told["total"]:
                    return self.job_of("convert")
            return None

        found = self.until(going, "convert to be under way", seconds)
        assert isinstance(found, Job)
        return found

    @property
    def log(self) -> str:
        return (self.folder / "logs" / "snakemake.log").read_text()

    @property
    def chunks(self) -> dict[str, int]:
        """Finished chunks, and when each was."""
        records = self.folder.glob("chunks/*/*.json")
        return {path.name: path.stat().st_mtime_ns for path in records}

    @property
    def written(self) -> dict[str, int]:
        """What a model or an execution made at any point, and when each file of it was written."""
        names = ("trajectory.jsonl", "record.json", "verdict.json")
        return {
            path.relative_to(self.folder).as_posix(): path.stat().st_mtime_ns
            for name in names
            for path in self.folder.glob(f"points/*/*/{name}")
        }

    def results(self) -> dict[str, Any]:
        content: dict[str, Any] = read_json(self.folder / "points" / "main" / "results.json")
        return content

    def nodes(self) -> set[str]:
        """Nodes on which steps ran, as the logs of their jobs say."""
        logs = [p.read_text() for p in self.folder.glob("logs/slurm/**/*.log")]
        return {node for text in logs for node in re.findall(r"^\s*Host: (\S+)", text, re.M)}


@dataclass(frozen=True)
class Launcher:
    """Gives `sbatch launch.sh ... site=testbed` from a folder that every node sees."""

    folder: Path

    def __call__(self, name: str, *overrides: str, options: tuple[str, ...] = ()) -> Launched:
        output = self.folder / f"{name}.out"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("LADON_")}
        # The tests' own interpreter, wherever its environment is.
        kept["LADON_VENV"] = str(Path(os.environ.get("VIRTUAL_ENV") or _venv()))
        for variable in ("LADON_CACHE", "LADON_VLLM_VENV"):
            if variable in os.environ:
                kept[variable] = os.environ[variable]
        done = subprocess.run(
            ["sbatch", "--parsable", f"--output={output}", *options, str(LAUNCH), *overrides,
             "site=testbed", f"run.name={name}"],
            cwd=self.folder, env=kept, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return Launched(done.stdout.strip(), output, self.folder / "outputs" / name)


def _venv() -> str:
    import sys

    return sys.prefix
