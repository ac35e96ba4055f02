"""Who runs the job of a server: SLURM, or this machine itself; submit, ask, cancel."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Protocol

import psutil

from executors.serving.command import without_secrets
from executors.serving.errors import SchedulerError
from executors.serving.folder import ServerFolder
from executors.serving.script import job_script
from executors.serving.spec import Launch, SiteSpec
from executors.slurm.client import SlurmError, ask, is_passing

JobState = Literal["waiting", "running", "gone", "unknown"]
"""unknown: the scheduler did not answer; nothing follows from it."""

PATIENCE_S = 300.0
"""sbatch that is refused for a passing reason is tried again for so long."""
_WAITING = frozenset(
    {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "SUSPENDED", "RESIZING"}
)
_RUNNING = frozenset({"RUNNING", "COMPLETING", "STAGE_OUT", "SIGNALING", "STOPPED"})


class Scheduler(Protocol):
    """Runs keepers."""

    def submit(self, folder: ServerFolder, launch: Launch) -> str:
        """Have a server kept; its job's identifier. SchedulerError if that is refused."""

    def state(self, job: str) -> JobState:
        """How the job is."""

    def cancel(self, job: str) -> None:
        """End the job; nothing if it has ended."""


def scheduler_of(site: SiteSpec) -> Scheduler:
    """The scheduler that the site has."""
    return Slurm() if site.scheduler == "slurm" else Here()


@dataclass(frozen=True)
class Slurm:
    """SLURM by its own commands."""

    patience_s: float = PATIENCE_S
    sleep: Callable[[float], None] = time.sleep

    def submit(self, folder: ServerFolder, launch: Launch) -> str:
        folder.script.write_text(job_script(launch), encoding="utf-8")
        deadline, wait_s = time.monotonic() + self.patience_s, 2.0
        while True:
            # From the server's folder: in the job, SLURM_SUBMIT_DIR names it.
            code, out, err = _command(["sbatch", "--parsable", folder.script.name], folder)
            job = out.strip().partition(";")[0]
            if code == 0 and job.isdigit():
                return job
            said = " ".join((err or out).split())
            if not is_passing(said) or time.monotonic() > deadline:
                raise SchedulerError(
                    f"expected sbatch to accept '{folder.script}', found: {said or code}; correct "
                    "site.serve (partition, account, gres, time), or try again when SLURM is well"
                )
            self.sleep(wait_s)
            wait_s = min(wait_s * 1.5, 30.0)

    def state(self, job: str) -> JobState:
        command = ["squeue", "--noheader", f"--jobs={job}", "--states=all", "--format=%T"]
        code, out, err = _command(command, None)
        return meaning_of(code, out, err)

    def cancel(self, job: str) -> None:
        code, _, err = _command(["scancel", job], None)
        if code and "Invalid job id" not in err:
            raise SchedulerError(
                f"expected scancel to end job {job}, found: {' '.join(err.split())}; end it with: "
                f"scancel {job}"
            )


@dataclass(frozen=True)
class Here:
    """This machine: a keeper is a process that outlives the one that started it."""

    end_s: float = 60.0

    def submit(self, folder: ServerFolder, launch: Launch) -> str:
        variables = without_secrets(os.environ) | {
            "PYTHONPATH": launch.repository,
            "PYTHONUNBUFFERED": "1",
        }
        program = [launch.python, "-m", "executors.serving.keeper", "--folder", str(folder.path)]
        setup = "".join(f"{line}\n" for line in launch.site.setup)
        # The shell ends at once, so that the keeper is nobody's child and leaves no zombie here.
        text = f'umask 077\n{setup}"$@" </dev/null >>logs/job-local.log 2>&1 &\necho $!'
        started = subprocess.run(
            ["sh", "-c", text, "sh", *program],
            cwd=folder.path,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
        )
        pid = started.stdout.strip()
        if started.returncode or not pid.isdigit():
            raise SchedulerError(
                f"expected a process for the server in '{folder.path}', found: "
                f"{started.stderr.strip() or pid!r}"
            )
        return f"local-{pid}"

    def state(self, job: str) -> JobState:
        return "gone" if _keeper(job) is None else "running"

    def cancel(self, job: str) -> None:
        process = _keeper(job)
        if process is None:
            return
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + self.end_s
            while _keeper(job) is not None and time.monotonic() < deadline:
                time.sleep(0.1)
            if _keeper(job) is not None:
                process.kill()  # its guard ends what it kept


def meaning_of(code: int, out: str, err: str) -> JobState:
    """The state of a job from what squeue answered."""
    if code:
        # SLURM forgets ended jobs after MinJobAge and then calls their number invalid.
        return "gone" if "Invalid job id" in err else "unknown"
    words = re.findall(r"[A-Z_]+", out)
    if not words:
        return "gone"
    if words[0] in _WAITING:
        return "waiting"
    return "running" if words[0] in _RUNNING else "gone"


def _command(command: list[str], folder: ServerFolder | None) -> tuple[int, str, str]:
    """Exit code, output and complaint of one of SLURM's commands, which hears of no secrets."""
    place = None if folder is None else folder.path
    try:
        answer = ask(command, place, environment=without_secrets(os.environ))
    except SlurmError as error:
        raise SchedulerError(str(error)) from None
    return answer.code, answer.out, answer.err


def _keeper(job: str) -> psutil.Process | None:
    """The process of a local job; None if it has ended, or its number is another's by now."""
    try:
        process = psutil.Process(int(job.rpartition("-")[2]))
        ours = "executors.serving.keeper" in process.cmdline()
        return process if ours and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, ValueError):
        return None
