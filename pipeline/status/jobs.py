"""The jobs of a run in SLURM's queue, asked for with restraint."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from executors.slurm.client import SlurmError
from executors.slurm.jobs import Job, has_tag, memory_used, own_jobs
from pipeline.status.flight import Flight, comments_of
from pipeline.status.snapshot import Queue, QueuedJob

ASK_S = 5.0
"""SLURM's controller serves everybody: it is not asked more often than this for jobs,"""
MEMORY_S = 15.0
"""than this for the memory they use,"""
PAUSE_S = 30.0
"""and after a failure not before this."""
ANSWER_S = 10.0
"""So long an answer is waited for."""
MOST_WITH_MEMORY = 100
"""sstat asks every node of every job."""
WAITING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "SUSPENDED"})


@dataclass
class Asked:
    """SLURM's last answers; `clock` is in seconds since 1970."""

    clock: Callable[[], float] = time.time
    jobs: list[Job] | None = None
    """All jobs of this user; None until SLURM has answered."""
    at: float | None = None
    problem: str | None = None
    memory: dict[str, float] = field(default_factory=dict)
    _next: float = 0.0
    _next_memory: float = 0.0

    def look(self) -> None:
        """Ask for the jobs, if it is time to."""
        if self.clock() < self._next:
            return
        try:
            self.jobs = own_jobs(ANSWER_S)
        except SlurmError as error:
            self.problem = str(error)
            self._next = self.clock() + PAUSE_S
        else:
            self.problem, self.at = None, self.clock()
            self._next = self.clock() + ASK_S

    def look_at_memory(self, ids: list[str]) -> None:
        """Ask what these jobs use, if it is time to; SLURM may not know, and that is all right."""
        if self.problem is None and ids and self.clock() >= self._next_memory:
            self.memory = memory_used(ids[:MOST_WITH_MEMORY], ANSWER_S)
            self._next_memory = self.clock() + MEMORY_S

    @property
    def states(self) -> dict[str, str] | None:
        """Number -> state of all jobs of this user; None where that is not known now."""
        if self.jobs is None or self.problem is not None:
            return None
        return {job.id: job.state for job in self.jobs}


def queue_of(
    asked: Asked, tag: str, others: Mapping[str, str], outputs: Mapping[str, str]
) -> Queue:
    """The jobs of the run: those with its tag, and `others` (number -> what it is).

    `outputs` says of a job of the graph what it makes; see `outputs_of`.
    """
    ours = [job for job in asked.jobs or () if has_tag(job, tag) or job.id in others]
    asked.look_at_memory([job.id for job in ours if job.state not in WAITING])
    jobs = tuple(_told(job, others.get(job.id), outputs.get(job.id), asked) for job in ours)
    return Queue(jobs, asked.at, asked.problem)


def outputs_of(asked: Asked, tag: str, under_way: Mapping[str, Flight]) -> dict[str, str]:
    """Number of a job -> the output under way that it makes."""
    known = {flight.job: output for output, flight in under_way.items() if flight.job is not None}
    by_comment = {c: output for output in under_way for c in comments_of(output)}
    for job in asked.jobs or ():
        if has_tag(job, tag) and job.comment in by_comment:
            known[job.id] = by_comment[job.comment]
    return known


def _told(job: Job, what: str | None, output: str | None, asked: Asked) -> QueuedJob:
    waits = job.state in WAITING
    return QueuedJob(
        id=job.id,
        state=job.state,
        what=what or (named(job) if output is None else made(output)),
        output=output,
        partition=job.partition,
        node=job.node,
        elapsed=job.elapsed,
        limit=job.limit,
        memory=job.memory,
        memory_used_mb=asked.memory.get(job.id),
        reason=job.reason.strip("()") if waits else "",
    )


def made(output: str) -> str:
    """The step that makes an output of the run, for people."""
    *owner, stage, file = ["", "", *output.split("/")]
    step = {"solution.py": "solve", "record.json": "execute", "verdict.json": "judge"}.get(file)
    if step is None:
        return output
    whose = owner[-1] if owner[-2] == "points" else f"{owner[-2]} {owner[-1][:8]}"
    return f"{whose}: {step} {stage}"


def named(job: Job) -> str:
    """What a job of the graph works on, by the comment that Snakemake's plugin gives it."""
    found = re.fullmatch(r"rule_([a-z]+)(?:_wildcards_(.*))?", job.comment)
    if found is not None:
        return " ".join(filter(None, found.groups()))
    return job.name.partition("_")[2] or job.name
