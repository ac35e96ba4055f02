"""The short job that looks at a node of the site, cancelled if it does not start in time."""

from __future__ import annotations

import fcntl
import secrets
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.slurm.client import SlurmError, ask
from pipeline.doctor.finding import Finding
from pipeline.doctor.node import FINDINGS, LOCK, SETTINGS
from pipeline.doctor.submission import site_profile
from pipeline.files import read_json, write_json
from pipeline.settings import Settings, to_dict

START_S = 60.0
"""A job that has not started by then is cancelled."""
RUN_MINUTES = 5
SEEN_S = 60.0
"""A file written on a node should be seen here within that."""
MEMORY_MB = 1500
"""Enough for this program and a sandbox that is attacked."""
POLL_S = 0.5
REPOSITORY = Path(__file__).resolve().parents[2]
WAITING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"})
RUNNING = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT", "SIGNALING", "STOPPED"})


def look(settings: Settings, start_s: float = START_S) -> list[Finding]:
    """What a node of the site's partition has; how that could not be found out, where so."""
    outputs = Path(settings.run.outputs).absolute()
    try:
        with _folder(outputs) as folder:
            return _asked(settings, folder, start_s)
    except (SlurmError, OSError) as error:
        return [
            _finding(
                f"expected a short job to look at a node, found: {error}",
                "correct the site, or try again when SLURM is well",
            )
        ]


def _asked(settings: Settings, folder: Path, start_s: float) -> list[Finding]:
    write_json(folder / SETTINGS, to_dict(settings))
    resources = site_profile(settings).get("default-resources") or {}
    (folder / "job.sh").write_text(script(sys.executable, REPOSITORY, folder), encoding="utf-8")
    name = f"ladon-doctor-{secrets.token_hex(4)}"
    submitted = ask(["sbatch", *options(name, resources, folder), "job.sh"], folder)
    job = submitted.out.strip().partition(";")[0]
    if submitted.code or not job.isdigit():
        return [
            _finding(
                f"expected sbatch to take a short job, found: {submitted.said}",
                "correct account, partition or qos of the site",
            )
        ]
    try:
        return _watched(job, folder, start_s)
    finally:
        ask(["scancel", job])  # of one that has ended it is nothing


def _watched(job: str, folder: Path, start_s: float) -> list[Finding]:
    """The findings of a job that was submitted, as soon as it has ended."""
    began = time.monotonic()
    state = _until(job, lambda s: s.waits, began + start_s)
    if state.waits:
        return [
            _finding(
                f"expected a node within {start_s:.0f} s, found job {job} waiting: {state.reason}; "
                "it was cancelled",
                "try again when a node is free, or with a site.partition or site.qos for short "
                "jobs",
                fatal=False,
            )
        ]
    state = _until(job, lambda s: s.waits or s.runs, began + start_s + 60 * (RUN_MINUTES + 1))
    seen_s = _seen_after(folder / FINDINGS, SEEN_S)
    if seen_s is None:
        return [
            _finding(
                f"expected findings of job {job} in {folder}, found none within {SEEN_S:.0f} s; "
                f"the job was {state.name or 'forgotten'} and said: {_last_words(folder)}",
                "the node has to see run.outputs, this environment "
                f"({sys.executable}) and this checkout: put them on the shared file system",
            )
        ]
    found = [Finding(**each) for each in read_json(folder / FINDINGS)]
    node = str(found[0].node)
    said = f"{node}, job {job}; a file written there was seen here {seen_s:.1f} s after its end"
    return [Finding("job", "slurm", "ok", said, required=True, node=node), *found]


@dataclass(frozen=True)
class JobState:
    """A job as squeue tells it; an empty name is one that it has forgotten."""

    name: str
    reason: str = ""

    @property
    def waits(self) -> bool:
        return self.name in WAITING

    @property
    def runs(self) -> bool:
        return self.name in RUNNING


def _until(job: str, goes_on: Callable[[JobState], bool], deadline: float) -> JobState:
    """The first state of a job for which `goes_on` is false, or the last one in time."""
    query = ["squeue", "--noheader", f"--jobs={job}", "--states=all", "--format=%T|%r"]
    state = JobState("PENDING", "not seen by squeue yet")
    while True:
        answer = ask(query)
        if answer.code == 0 or not answer.passing:
            name, _, reason = answer.out.strip().partition("|")
            state = JobState(name, reason)
        if not goes_on(state) or time.monotonic() > deadline:
            return state
        time.sleep(POLL_S)


def _seen_after(path: Path, within_s: float) -> float | None:
    """Seconds until a file can be seen here; None if it cannot."""
    began = time.monotonic()
    while not path.exists():
        if time.monotonic() - began > within_s:
            return None
        list(path.parent.iterdir())  # makes a network file system ask again
        time.sleep(0.1)
    return time.monotonic() - began


@contextmanager
def _folder(outputs: Path) -> Iterator[Path]:
    """A folder beside the runs, for this user alone, with a lock held in it; gone afterwards."""
    new = not outputs.exists()
    outputs.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".ladon-doctor-", dir=outputs))
    try:
        with (folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if new and not any(outputs.iterdir()):
            outputs.rmdir()


def options(name: str, resources: Mapping[str, Any], folder: Path) -> list[str]:
    """Options of sbatch: one task, a time limit, and what the profile gives to every step."""
    given = {
        "account": resources.get("slurm_account"),
        "partition": resources.get("slurm_partition"),
        "qos": resources.get("qos"),
        "constraint": resources.get("constraint"),
        "cpus-per-task": resources.get("cpus_per_task"),
    }
    memory_mb = max(MEMORY_MB, int(resources.get("mem_mb") or 0))
    return [
        "--parsable",
        f"--job-name={name}",
        "--nodes=1",
        "--ntasks=1",
        f"--time={RUN_MINUTES}",
        f"--mem={memory_mb}",
        "--no-requeue",
        f"--output={folder}/log",
        *(f"--{option}={value}" for option, value in given.items() if value is not None),
    ]


def script(python: str, repository: Path, folder: Path) -> str:
    """The job: this environment's Python looks at the node."""
    words = [python, "-m", "pipeline.doctor.node", str(folder)]
    return (
        "#!/bin/sh\n"
        f"export PYTHONPATH={shlex.quote(str(repository))}\n"
        f"exec {' '.join(map(shlex.quote, words))}\n"
    )


def _last_words(folder: Path) -> str:
    try:
        text = (folder / "log").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "nothing (there is no log)"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-3:]) or "nothing"


def _finding(said: str, next_step: str, fatal: bool = True) -> Finding:
    return Finding("job", "slurm", "missing" if fatal else "warning", said, next_step, fatal)
