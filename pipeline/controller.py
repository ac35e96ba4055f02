"""What a run does for its site beside the graph: its jobs, its servers, and its time."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from executors.serving.errors import ServingError
from executors.serving.pool import STOP_S
from executors.serving.spec import ServeSpec
from executors.slurm.client import SlurmError
from executors.slurm.jobs import cancel, tag_of
from pipeline.files import read_json, write_json
from pipeline.models import is_served
from pipeline.serve import answer_steps, pool_of, serve_spec, usage_of
from pipeline.sweep.point import Point
from pipeline.workflow.layout import Layout

STARTED = Path("logs") / "started.json"
"""In a run: when its newest start was."""
SERVERS_FILE = "servers.json"
"""In a run: what it used of its servers."""
LOOK_S = 5.0
HURRY_S = 3.0
"""SLURM gives a cancelled job some seconds (KillWait) to end."""
LAST_S = 60.0
"""Seconds before the controller's own walltime at which what still runs is cancelled."""


class Controller:
    """Looks after the jobs and servers of one run; on a laptop without a server it does nothing."""

    def __init__(
        self, points: Sequence[Point], layout: Layout, folder: Path, say: Callable[[str], None]
    ) -> None:
        """`points` are all at one site, in one run."""
        self.settings = points[0].settings
        self.layout, self.folder, self.say = layout, folder, say
        self.on_slurm = self.settings.site.scheduler == "slurm"
        self._users: dict[ServeSpec, list[Path]] = {}
        for point in points:
            if is_served(point.settings) and point.settings.solver.name != "reference":
                self._users.setdefault(serve_spec(point.settings), []).extend(
                    folder / "points" / point.name / stage / "solution.py"
                    for stage in layout.point(point.name).stages
                )
        self._unfinished = dict(self._users)
        self._looked = time.monotonic()
        self._before = 0

    @property
    def serves(self) -> bool:
        """Whether servers have to be found or started for any point."""
        return bool(self._users)

    def begin(self) -> None:
        """Cancel jobs that an earlier controller of this run left when it died.

        Raises SlurmError where the site needs SLURM and it is not here.
        """
        write_json(self.folder / STARTED, {"time": time.time()})
        if not self.on_slurm:
            return
        for command in ("sbatch", "squeue", "scancel"):
            if shutil.which(command) is None:
                raise SlurmError(
                    f"site={self.settings.site.name} runs its steps on SLURM, and there is no "
                    f"{command} here; run on a login node or with `sbatch launch.sh`, or take "
                    "site=laptop"
                )
        self._before = work_done(self.folder)
        self._tell_launcher("")
        left = cancel(tag_of(self.folder))
        if left:
            self.say(f"cancelled {len(left)} jobs that an earlier start of this run had left")

    def look(self) -> None:
        """Steps in containers are answered; a server that no stage needs any more stops."""
        if not self.serves:
            return
        if self.settings.site.container is not None:
            answer_steps(self.settings)
        if time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        for spec, solutions in list(self._unfinished.items()):
            if not all(path.exists() for path in solutions):
                continue
            del self._unfinished[spec]
            why = "all its stages are solved"
            for folder in pool_of(self.settings).ask_to_stop(self._owner, why, spec):
                self.say(f"every stage is solved: server {folder.name} stops")
        if not self._unfinished:
            self._record_servers()

    def cancel_jobs(self, hurry: bool = False) -> None:
        """End every job of the run; a complaint says which are left."""
        if not self.on_slurm:
            return
        try:
            ended = cancel(tag_of(self.folder), until_gone=not hurry)
        except SlurmError as error:
            self.say(str(error))
            return
        if ended:
            self.say(f"cancelled {len(ended)} jobs of this run")

    def out_of_time(self) -> None:
        """The walltime is near: launch.sh is told whether to go back into the queue.

        Not where this start came to nothing: the next one would not either.
        """
        if not self.settings.site.requeue:
            return
        if work_done(self.folder) > self._before:
            self._tell_launcher("requeue")
        else:
            self.say("not continued by itself: this start finished nothing in its walltime")

    def end(self, hurry: bool = False) -> None:
        """The run is over, however it ended: no job and no server of it is left.

        In a `hurry`, a server that does not end by itself at once is ended by its job.
        """
        self.cancel_jobs(hurry)
        if not self.serves:
            return
        try:
            within_s = HURRY_S if hurry else STOP_S
            for endpoint in pool_of(self.settings).stop_all(
                self._owner, "its run is over", within_s
            ):
                self.say(f"server {endpoint.server} {endpoint.status.lower()}: {endpoint.reason}")
        except (ServingError, SlurmError) as error:
            self.say(str(error))
        self._record_servers()

    def seconds_left(self) -> float | None:
        """Seconds for which jobs may go on when the controller's walltime is near."""
        end = os.environ.get("LADON_END_TIME", "")
        return float(end) - LAST_S - time.time() if end.isdigit() else None

    @property
    def _owner(self) -> str:
        return self.settings.run.name

    def _record_servers(self) -> None:
        write_json(self.folder / SERVERS_FILE, usage_of(pool_of(self.settings), self._owner))

    def _tell_launcher(self, word: str) -> None:
        """What launch.sh reads when this process has ended: the tag of its jobs, and a word."""
        told = os.environ.get("LADON_CONTROLLER_FILE")
        if told:
            Path(told).write_text(f"{tag_of(self.folder)}\n{word}\n", encoding="utf-8")


def work_done(run: Path) -> int:
    """A number that grows with everything that a run does not do twice: bytes of what it keeps."""
    kept = ("points/**/*.json", "reference/**/*.json", "chunks/**/*.json", "dialogues/**/*.jsonl")
    return sum(path.stat().st_size for pattern in kept for path in run.glob(pattern))


def began(run: Path) -> float:
    """When the newest start of the run was, in seconds since 1970."""
    return float(read_json(run / STARTED)["time"])
