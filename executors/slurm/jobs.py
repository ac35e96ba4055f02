"""The jobs of one run: named so that they are known, listed, and cancelled when the run ends."""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from executors.slurm.client import COMMAND_S, SlurmError, ask

FORMAT = "%i|%T|%N|%M|%m|%R|%P|%l|%j|%k"
ENDING = frozenset({"COMPLETING", "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT"})
LONGEST_NAME = 50
"""Longest prefix of job names that Snakemake's SLURM plugin takes."""


@dataclass(frozen=True)
class Job:
    """One job as squeue tells it; texts are SLURM's own."""

    id: str
    state: str
    node: str
    """Host or hosts that it runs on; empty while it waits."""
    elapsed: str
    memory: str
    """What it asked for."""
    reason: str
    """Why it waits, or where it runs."""
    partition: str
    limit: str
    """Its walltime."""
    name: str
    comment: str
    """Of the graph's jobs: rule_<rule>_wildcards_<...>."""


def tag_of(run: Path) -> str:
    """Beginning of the names of all jobs of the run in this folder, and of no other's.

    Two runs of one name in different places are told apart; so are names that begin alike.
    """
    digest = hashlib.sha256(str(run.resolve()).encode()).hexdigest()[:8]
    return f"ladon-{digest}"


def prefix_of(run: Path) -> str:
    """The tag with the run's name, as far as there is room for people to read it."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", run.name)
    return f"{tag_of(run)}-{name}"[:LONGEST_NAME]


def jobs_of(tag: str) -> list[Job]:
    """The jobs in the queue whose names begin with the tag, in the order of their numbers.

    Raises SlurmError where SLURM is not here or does not answer.
    """
    return [job for job in own_jobs() if has_tag(job, tag)]


def own_jobs(timeout_s: float = COMMAND_S) -> list[Job]:
    """All jobs of this user in the queue, in the order of their numbers.

    Raises SlurmError where SLURM is not here or does not answer.
    """
    command = ["squeue", "--me", "--noheader", f"--format={FORMAT}"]
    answer = ask(command, timeout_s=timeout_s)
    if answer.code:
        raise SlurmError(
            f"expected squeue to list the jobs, found: {answer.said}; try again when SLURM is well"
        )
    return parsed(answer.out)


def has_tag(job: Job, tag: str) -> bool:
    """Whether a job is one of the run with this tag."""
    return job.name.partition("_")[0].startswith(tag)


def memory_used(ids: Sequence[str], timeout_s: float = COMMAND_S) -> dict[str, float]:
    """Job -> largest resident memory of one of its tasks so far (MB), as far as sstat knows it.

    SLURM samples it now and then; a cluster without accounting of jobs tells nothing.
    """
    if not ids:
        return {}
    told = ["sstat", "--noheader", "--parsable2", "--allsteps", "--format=JobID,MaxRSS"]
    try:
        answer = ask([*told, f"--jobs={','.join(ids)}"], timeout_s=timeout_s)
    except SlurmError:
        return {}
    found: dict[str, float] = {}
    for step, _, size in (line.partition("|") for line in answer.out.splitlines()):
        number = re.fullmatch(r"([0-9.]+)([KMGT]?)", size.strip())
        if number is not None:
            job = step.partition(".")[0]
            megabytes = float(number[1]) * _MEGABYTES[number[2]]
            found[job] = max(found.get(job, 0.0), round(megabytes, 1))
    return found


_MEGABYTES = {"": 1e-6, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}


def parsed(text: str) -> list[Job]:
    """The jobs in squeue's output of FORMAT."""
    between = FORMAT.count("|")
    lines = [line.split("|", between) for line in text.splitlines() if line.count("|") >= between]
    return [Job(*(field.strip() for field in line)) for line in lines]


def cancel(
    tag: str,
    within_s: float = 30.0,
    until_gone: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Cancel the jobs of a run and wait until none is left; the numbers of those cancelled.

    An sbatch on its way may add one after the first look: looked at until twice there is none. Not
    `until_gone`, those that are ending count as none: for somebody who has little time himself.
    Raises SlurmError if SLURM does not answer, or jobs are left after `within_s`; it names them.
    """
    deadline = time.monotonic() + within_s
    cancelled: dict[str, None] = {}
    clean = 0
    while clean < 2:
        try:
            left = jobs_of(tag)
        except SlurmError:
            if time.monotonic() > deadline:
                raise
            sleep(1.0)
            continue
        active = [job.id for job in left if job.state not in ENDING]
        clean = 0 if (left if until_gone else active) else clean + 1
        if active:
            cancelled |= dict.fromkeys(active)
            ask(["scancel", *active])
        if left and time.monotonic() > deadline:
            raise SlurmError(
                f"expected the jobs of {tag} to end within {within_s:.0f} s, found "
                f"{', '.join(job.id for job in left)} left; end them with: scancel "
                f"{' '.join(job.id for job in left)}"
            )
        sleep(0.3)
    return list(cancelled)


def main(tag: str) -> int:
    """Cancel the jobs with this tag, for launch.sh where the run itself was killed."""
    try:
        print(f"cancelled: {' '.join(cancel(tag)) or 'none'}")
    except SlurmError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
