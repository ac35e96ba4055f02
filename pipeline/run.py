"""One run: freeze the settings, start Snakemake once, and bring its exit code back."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console

from pipeline import progress
from pipeline.controller import Controller
from pipeline.freeze import discard_broken, freeze
from pipeline.graph import Graph
from pipeline.lock import run_lock
from pipeline.problems import problems
from pipeline.profile import write_profile
from pipeline.settings import Settings
from pipeline.steps.errors import FOLDER as ERRORS

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_CONTINUE, EXIT_STOPPED = 0, 1, 2, 75, 130
"""EXIT_CONTINUE (EX_TEMPFAIL): its time was over; the same command goes on."""


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
        profile = write_profile(settings, folder)
        controller = Controller(settings, layout, folder, lambda said: _tell(console, said))
        controller.begin()
        code = EXIT_STOPPED
        try:
            with (
                Graph(folder, profile, settings) as graph,
                progress.RunDisplay(folder, layout.expected(), console) as display,
            ):
                code = _run_graph(graph, controller, display)
            if code == EXIT_CONTINUE:
                controller.out_of_time()
        finally:
            controller.end(hurry=code == EXIT_STOPPED)
    failed = code == EXIT_FAILED
    return RunOutcome(folder, code, problems(folder, graph.began_at) if failed else ())


def _run_graph(graph: Graph, controller: Controller, display: progress.RunDisplay) -> int:
    """Wait for the end of the graph, and bring it about when a signal asks for it."""
    received = listen()
    asked = False
    while True:
        code = graph.code(within_s=0.5)
        display.update()
        if any(number != signal.SIGUSR1 for number in received):
            return _stop(graph, controller, received)
        if received and not asked:  # SIGUSR1: the walltime is near
            graph.ask()
            asked = True
        left = controller.seconds_left() if asked else None
        if code is None and left is not None and left < 0:
            graph.kill()
            return EXIT_CONTINUE
        if code is not None:
            if code == 0:
                return EXIT_OK
            return EXIT_CONTINUE if asked else EXIT_FAILED
        controller.look()


def _stop(graph: Graph, controller: Controller, received: list[int]) -> int:
    """End the graph: what runs here may finish, at a second signal no more.

    What runs as jobs is cancelled by the controller when the graph has ended: Snakemake's own ways
    leave jobs behind, or take longer than SLURM waits.
    """
    if controller.on_slurm:
        graph.kill()
        return EXIT_STOPPED
    graph.ask()
    while graph.code(within_s=0.2) is None:
        if len(received) > 1:
            graph.kill()
    return EXIT_STOPPED


def listen() -> list[int]:
    """SIGINT, SIGTERM and SIGUSR1 are collected in the list from now on."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, note)
    return received


def _tell(console: Console, said: str) -> None:
    console.print(said, highlight=False, markup=False, soft_wrap=True)


def _point_latest(outputs: Path, name: str) -> None:
    """Make `outputs/latest` point to this run, by rename."""
    temporary = outputs / f".latest.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(name)
    os.replace(temporary, outputs / "latest")
