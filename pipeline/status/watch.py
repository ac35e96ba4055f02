"""Watching a run: one look after another at its folder, its jobs and its servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from executors.slurm.jobs import tag_of
from pipeline.status.data import Data
from pipeline.status.dialogue import Dialogues
from pipeline.status.faults import Faults
from pipeline.status.flight import Flight, flights
from pipeline.status.holder import LOCK, holder_of, words
from pipeline.status.jobs import WAITING, Asked, outputs_of, queue_of
from pipeline.status.reading import Reader, mtime_of
from pipeline.status.serving import Servers
from pipeline.status.snapshot import (
    Holder,
    Owner,
    Queue,
    RunState,
    Server,
    Snapshot,
    Spent,
    Step,
    Work,
)
from pipeline.status.stages import Moment, Stages
from pipeline.workflow.layout import Layout


class NoRunError(FileNotFoundError):
    """The folder holds no run, or holds none any more."""


def snapshot(run: Path) -> Snapshot:
    """How the run in this folder stands now; nothing of it is touched.

    Raises NoRunError where there is no run.
    """
    return Watch(run).look()


class Watch:
    """A run that is looked at again and again; what has not changed is not read again."""

    def __init__(self, run: Path, clock: Callable[[], float] = time.time) -> None:
        self.run = run.resolve()
        self._clock = clock
        self._reader = Reader()
        self._stages = Stages(self.run, self._reader, Dialogues(self.run, self._reader))
        self._data = Data(self.run, self._reader)
        self._faults = Faults(self.run, self._reader)
        self._servers = Servers(self.run, self._reader)
        self._asked = Asked(clock)
        self._layout: tuple[dict[str, Any], Layout] | None = None

    def look(self) -> Snapshot:
        """How the run stands now. Raises NoRunError where there is no run (any more)."""
        layout = self._current_layout()
        began = mtime_of(self.run / LOCK)
        servers, gpu_seconds = self._servers.look(began)
        on_slurm = self._is_on_slurm(layout, servers)
        if on_slurm:
            self._asked.look()
        holder = holder_of(self.run, self._asked.states)
        alive = holder is not None and holder.alive is not False
        under_way = flights(self.run, self._reader, began or 0.0) if alive else {}
        queue = self._queue(holder, servers, under_way) if on_slurm else Queue()
        jobs = {job.output: job.id for job in queue.jobs if job.output is not None}
        under_way = {o: replace(f, job=jobs.get(o, f.job)) for o, f in under_way.items()}
        moment = Moment(
            flights=under_way,
            pending=frozenset(job.id for job in queue.jobs if job.state in WAITING),
            errors=self._faults.names(),
        )
        owners = self._stages.owners(layout, moment, began)
        work = self._data.work(layout, moment)
        done, total = _files(owners, work)
        complete = done == total and (self.run / "summary.csv").exists()
        problems = self._faults.sentences(over=not alive and not complete)
        state = self._state(holder, queue, complete, problems)
        taken = self._clock()
        elapsed = self._elapsed(state, began, taken)
        return Snapshot(
            run=layout.run,
            folder=str(self.run),
            taken=round(taken, 3),
            state=state,
            sentence=sentence(state, holder, owners, queue),
            holder=holder,
            began=began,
            elapsed_s=None if elapsed is None else round(elapsed, 1),
            done=done,
            total=total,
            spent=_sum(stage.spent for owner in owners for stage in owner.stages),
            owners=owners,
            work=work,
            conversions=self._data.conversions(layout, owners),
            queue=queue,
            servers=servers,
            gpu_seconds=gpu_seconds,
            problems=() if state == "finished" else problems,
        )

    def _current_layout(self) -> Layout:
        """The layout in sweep.json; the last whole one while somebody writes it."""
        content = self._reader.json(self.run / "sweep.json")
        if content is not None and (self._layout is None or self._layout[0] is not content):
            try:
                self._layout = content, Layout.from_dict(content)
            except (KeyError, TypeError, AttributeError) as error:
                raise NoRunError(
                    f"expected the plan of a run in {self.run / 'sweep.json'}, found no "
                    f"{error}; it may be of another version of Ladon: start a run of another name"
                ) from error
        if self._layout is None or not self.run.is_dir():
            raise NoRunError(
                f"expected a run in {self.run}, found no whole sweep.json; start one with "
                "`ladon run`, or name it with run.name=NAME and its place with run.outputs=PATH"
            )
        return self._layout[1]

    def _is_on_slurm(self, layout: Layout, servers: tuple[Server, ...]) -> bool:
        """Whether the run's steps, its servers, or itself are jobs of SLURM."""
        point = layout.points[0].name if layout.points else ""
        settings = self._reader.json(self.run / "points" / point / "settings.json") or {}
        site = settings.get("site")
        if isinstance(site, dict) and site.get("scheduler") == "slurm":
            return True
        lock = self._reader.json(self.run / LOCK) or {}
        return bool(lock.get("job")) or any((s.job or "").isdigit() for s in servers)

    def _queue(
        self, holder: Holder | None, servers: tuple[Server, ...], under_way: dict[str, Flight]
    ) -> Queue:
        """The run's jobs: those of the graph, the controller's, and those of its servers."""
        others = {s.job: f"server {s.name}" for s in servers if s.job is not None}
        if holder is not None and holder.job is not None:
            others[holder.job] = "controller"
        tag = tag_of(self.run)
        return queue_of(self._asked, tag, others, outputs_of(self._asked, tag, under_way))

    def _state(
        self, holder: Holder | None, queue: Queue, complete: bool, problems: tuple[str, ...]
    ) -> RunState:
        if holder is not None and holder.alive:
            return "running"
        if complete:
            return "finished"
        if holder is not None and holder.alive is None:
            return "unknown"
        if any(job.what == "controller" and job.state in WAITING for job in queue.jobs):
            return "queued"
        return "failed" if problems else "stopped"

    def _elapsed(self, state: RunState, began: float | None, now: float) -> float | None:
        """Seconds since the start; of a run that has ended, until its last sign of life."""
        if began is None:
            return None
        if state in ("running", "unknown"):
            return max(0.0, now - began)
        signs = (self.run / "report.html", self.run / "logs" / "snakemake.log")
        last = max((t for t in map(mtime_of, signs) if t is not None), default=began)
        return max(0.0, last - began)


def sentence(
    state: RunState, holder: Holder | None, owners: tuple[Owner, ...], queue: Queue
) -> str:
    """The state with its circumstances, for people."""
    where = words(holder) if holder is not None else ""
    if state == "running":
        return f"running {where}"
    if state == "unknown":
        return f"held {where}, which cannot be seen from here: look there"
    if state == "queued":
        return f"waiting in SLURM's queue {where.partition(' on ')[0]}"
    left = len([job for job in queue.jobs if job.state not in ("COMPLETING", "COMPLETED")])
    are = "job of it is" if left == 1 else "jobs of it are"
    orphans = f"; {left} {are} still in SLURM's queue" if left else ""
    if state == "finished":
        stages = [stage for owner in owners if owner.is_point for stage in owner.stages]
        failed = sum(stage.outcome == "failed" for stage in stages)
        told = f"; {failed} of {len(stages)} stages failed" if failed else ""
        return f"finished{told}{orphans}"
    begun = "stopped" if holder is not None else "not started"
    what = "failed" if state == "failed" else begun
    return f"{what}{orphans}; the same command continues it"


def _files(owners: Sequence[Owner], work: Sequence[Work]) -> tuple[int, int]:
    """Files of the graph that are there, and that there will be (Layout.expected)."""
    over = ("done", "failed", "skipped")
    there: list[bool] = [w.state == "done" for w in work]
    for owner in owners:
        for stage in owner.stages:
            steps: tuple[Step, ...] = stage.steps if owner.is_point else (stage.execute,)
            there += [step.state in over for step in steps]
        if owner.is_point:
            there.append(owner.collected)
    return sum(there), len(there)


def _sum(spent: Any) -> Spent:
    total = Spent()
    for one in spent:
        total = total.plus(one)
    return total
