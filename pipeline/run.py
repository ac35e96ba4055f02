"""One run: freeze the settings, start Snakemake once, and bring its exit code back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console

from pipeline import progress
from pipeline.controller import Controller
from pipeline.data.remote import renew
from pipeline.freeze import discard_broken, freeze, freeze_sweep
from pipeline.graph import Graph, child_environment, limits_of
from pipeline.lock import run_lock
from pipeline.plan.gate import check_gate
from pipeline.plan.promotions import keep_step, sentences
from pipeline.problems import problems
from pipeline.profile import write_profile
from pipeline.settings import Settings, load
from pipeline.step_server import StepServer
from pipeline.steps.errors import FOLDER as ERRORS
from pipeline.sweep.point import MAIN, Point
from pipeline.workflow.layout import Layout

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

    Raises GateError for a run that is larger than the site's budget, or that smaller shares of the
    data have to come before.
    """
    check_gate([settings])
    outcome = _run([Point(MAIN, settings)], lambda run: freeze(settings, run), console, latest)
    _promote([Point(MAIN, settings)], outcome, console)
    return outcome


def run_sweep(points: Sequence[Point], console: Console) -> RunOutcome:
    """Run the points of a sweep as one graph to one report; what is there already stays.

    Raises GateError as `run` does.
    """
    check_gate([point.settings for point in points])
    outcome = _run(points, lambda run: freeze_sweep(points, run), console, latest=True)
    if outcome.exit_code == EXIT_FAILED and any(outcome.folder.glob("points/*/*/verdict.json")):
        from pipeline.report import make_report

        make_report(outcome.folder)  # of what is there: the graph makes it at its end
    _promote(points, outcome, console)
    return outcome


def _promote(points: Sequence[Point], outcome: RunOutcome, console: Console) -> None:
    """Keep what a finished run on a share of the data showed: the next share asks for it."""
    if outcome.exit_code != EXIT_OK:
        return
    for point in points:
        if point.settings.data.share == "all":
            continue
        if not (outcome.folder / "points" / point.name).is_dir():
            continue  # a sweep knows it under another name
        for said in sentences(
            point.settings, keep_step(point.settings, outcome.folder, point.name)
        ):
            _tell(console, said)


def _run(
    asked: Sequence[Point], freeze_here: Callable[[Path], Layout], console: Console, latest: bool
) -> RunOutcome:
    settings = asked[0].settings
    outputs = Path(settings.run.outputs).resolve()
    folder = outputs / settings.run.name
    folder.mkdir(parents=True, exist_ok=True)
    with run_lock(folder):
        layout = freeze_here(folder)
        points = [
            Point(plan.name, load(folder / "points" / plan.name / "settings.json"))
            for plan in layout.wanted
        ]
        for record in discard_broken(folder, layout):
            console.print(
                f"made again, because a file of it is gone or changed: {record}", soft_wrap=True
            )
        if not all((folder / name).exists() for name in layout.expected()):
            renew(folder, lambda said: console.print(said, highlight=False, soft_wrap=True))
        for name in (progress.FOLDER, ERRORS):
            (folder / name).mkdir(parents=True, exist_ok=True)
        progress.clear(folder)
        for old in (folder / ERRORS).glob("*.json"):
            old.unlink()
        if latest:
            _point_latest(outputs, folder.name)
        writing = [p.settings for p in points if p.settings.solver.name != "reference"]
        settings = (writing or [settings])[0]
        profile = write_profile(settings, folder)
        controller = Controller(points, layout, folder, lambda said: _tell(console, said))
        controller.begin()
        code = EXIT_STOPPED
        try:
            with (
                StepServer(settings, child_environment(settings, folder)) as steps,
                Graph(folder, profile, limits_of(settings, layout), steps.environment) as graph,
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
