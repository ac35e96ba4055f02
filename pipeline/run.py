"""One run: freeze the settings, start Snakemake once, and bring its exit code back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from executors.parent import die_with_parent
from pipeline import progress
from pipeline.files import read_json
from pipeline.freeze import discard_broken, freeze
from pipeline.lock import run_lock
from pipeline.settings import Settings
from pipeline.steps.errors import FOLDER as ERRORS
from pipeline.workflow.layout import Layout

SNAKEFILE = Path(__file__).resolve().parent / "workflow" / "Snakefile"
EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_STOPPED = 0, 1, 2, 130


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended: its directory, the exit code, and the sentences of what went wrong."""

    folder: Path
    exit_code: int
    problems: tuple[str, ...]


def run(settings: Settings, console: Console, latest: bool = True) -> RunOutcome:
    """Run one frozen configuration to its report; the same settings continue an earlier run.

    `latest` says whether `outputs/latest` is to point to it.
    """
    outputs = Path(settings.run.outputs).resolve()
    folder = outputs / settings.run.name
    folder.mkdir(parents=True, exist_ok=True)
    with run_lock(folder):
        layout = freeze(settings, folder)
        for record in discard_broken(folder, layout):
            console.print(
                f"made again, because a file of it is gone or changed: {record}", soft_wrap=True
            )
        for name in (progress.FOLDER, ERRORS):
            (folder / name).mkdir(parents=True, exist_ok=True)
        progress.clear(folder)
        for old in (folder / ERRORS).glob("*.json"):
            old.unlink()
        if latest:
            _point_latest(outputs, folder.name)
        code = _snakemake(folder, layout, settings, console)
    return RunOutcome(folder, code, _problems(folder) if code else ())


def snakemake_command(folder: Path, cores: int) -> list[str]:
    """The command line that runs the graph of `folder`."""
    return [
        sys.executable, "-m", "snakemake",
        "--snakefile", str(SNAKEFILE),
        "--directory", str(folder),
        "--cores", str(cores),
        "--rerun-triggers", "mtime",
        "--rerun-incomplete",
        "--keep-going",
        "--scheduler", "greedy",  # the default solves a linear programme for a dozen jobs
        "--nolock",  # our own lock is held: it dies with its holder, Snakemake's does not
        "--quiet", "progress",
        "--latency-wait", "10",
    ]  # fmt: skip


def child_environment() -> dict[str, str]:
    """Environment of the graph: our interpreter first, one numeric thread, no stray bytes."""
    environment = dict(os.environ)
    bin_folder = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([bin_folder, environment.get("PATH", "")])
    repository = str(SNAKEFILE.parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(
        p for p in (repository, environment.get("PYTHONPATH", "")) if p
    )
    environment["PYTHONHASHSEED"] = "0"
    environment["MPLBACKEND"] = "Agg"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[name] = "1"  # a sum over threads may differ in its last bit
    return environment


def _snakemake(folder: Path, layout: Layout, settings: Settings, console: Console) -> int:
    parent = os.getpid()
    with (folder / "logs" / "snakemake.log").open("a", encoding="utf-8") as log:
        child = subprocess.Popen(
            snakemake_command(folder, settings.site.cores),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=child_environment(),
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(parent),
        )
        stopped = _stop_with(child)
        with progress.RunDisplay(folder, layout.expected(), console) as display:
            while True:
                try:
                    code = child.wait(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    display.update()
    if stopped:
        return EXIT_STOPPED
    return EXIT_OK if code == 0 else EXIT_FAILED


def _stop_with(child: subprocess.Popen[bytes]) -> list[int]:
    """Pass SIGINT and SIGTERM on to the graph; the returned list holds what was received."""
    received: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        # The second time there is no more asking: the whole session of the graph goes.
        os.killpg(child.pid, signal.SIGTERM if len(received) == 1 else signal.SIGKILL)

    signal.signal(signal.SIGINT, forward)
    signal.signal(signal.SIGTERM, forward)
    return received


def _problems(folder: Path) -> tuple[str, ...]:
    """What the failed steps said; or where to look if none said anything."""
    told = [read_json(p) for p in sorted((folder / ERRORS).glob("*.json"))]
    if told:
        return tuple(f"{t['step']}: {t['sentence']} ({_whose(t)}log: {t['log']})" for t in told)
    return (f"the graph stopped without a failed step; look into {folder}/logs/snakemake.log",)


def _whose(told: dict[str, Any]) -> str:
    """Whom a fault counts against, where that is known."""
    attribution = told.get("attribution")
    return f"counts against the {attribution}, not the model; " if attribution else ""


def _point_latest(outputs: Path, name: str) -> None:
    """Make `outputs/latest` point to this run, by rename."""
    temporary = outputs / f".latest.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(name)
    os.replace(temporary, outputs / "latest")
