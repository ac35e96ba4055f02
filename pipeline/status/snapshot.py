"""The snapshot: how a run stands at one moment, as frozen data with a documented JSON form."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SNAPSHOT_SCHEMA = 1

StepState = Literal["waiting", "queued", "running", "done", "failed", "skipped", "error"]
"""failed: the solution's result; error: the machinery's; skipped: there was nothing to do it on."""
RunState = Literal["running", "queued", "stopped", "finished", "failed", "unknown"]
"""queued: its controller waits in SLURM's queue; unknown: its holder cannot be seen from here."""
ENDED: frozenset[RunState] = frozenset({"stopped", "finished", "failed"})


@dataclass(frozen=True)
class Step:
    """One step of a stage: writing its solution, running it, or judging what came out."""

    state: StepState = "waiting"
    since: float | None = None
    """When it was begun or sent to SLURM (seconds since 1970); None unless it is under way."""
    job: str | None = None
    """Number of its SLURM job; None where it runs on this machine, or is not under way."""


@dataclass(frozen=True)
class Spent:
    """What was said to and by a model."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0

    def plus(self, other: Spent) -> Spent:
        return Spent(
            self.calls + other.calls,
            self.prompt + other.prompt,
            self.completion + other.completion,
        )

    @property
    def tokens(self) -> int:
        return self.prompt + self.completion


@dataclass(frozen=True)
class Stage:
    """One stage of an owner."""

    stage: str
    solve: Step
    execute: Step
    judge: Step | None
    """None for a reference, which nobody judges."""
    doing: str | None = None
    """What the dialogue is at, in words, while the solution is being written."""
    rounds: int = 0
    spent: Spent = field(default_factory=Spent)
    outcome: str | None = None
    rung: str | None = None
    failure: str | None = None
    """Category of its failure, or why it was not reached."""
    wall_s: float | None = None
    """Seconds that writing and running took; None until something of it is finished."""
    memory_mb: float | None = None
    """Most memory that running it took."""

    @property
    def steps(self) -> tuple[Step, ...]:
        return (self.solve, self.execute) if self.judge is None else (
            self.solve, self.execute, self.judge,
        )  # fmt: skip

    @property
    def state(self) -> StepState:
        """The stage as one word: what is wrong or under way before what is over."""
        states = [step.state for step in self.steps]
        told: tuple[StepState, ...] = ("error", "running", "queued", "failed", "skipped")
        for state in told:
            if state in states:
                return state
        return "done" if states[-1] == "done" else "waiting"


@dataclass(frozen=True)
class Owner:
    """A point, or a reference: whose stages they are, as its folder in the run."""

    name: str
    stages: tuple[Stage, ...]
    collected: bool
    """Whether results.json is there; of a reference, whether its last stage has run."""

    @property
    def is_point(self) -> bool:
        return self.name.startswith("points/")

    @property
    def state(self) -> StepState:
        states = {stage.state for stage in self.stages}
        told: tuple[StepState, ...] = ("error", "running", "queued")
        for state in told:
            if state in states:
                return state
        if not self.collected:
            return "waiting"
        return "failed" if "failed" in states else "done"


@dataclass(frozen=True)
class Work:
    """A step that belongs to no stage: making or finding the data, collecting, the report."""

    name: str
    state: StepState
    since: float | None = None
    job: str | None = None
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True)
class Conversion:
    """How many chunks of the data the solution of an owner has converted."""

    owner: str
    done: int
    total: int
    events: int | None = None
    """None where only the chunks were counted."""
    events_per_s: float | None = None


@dataclass(frozen=True)
class QueuedJob:
    """A job of the run in SLURM's queue; state, elapsed, limit and memory are SLURM's own words."""

    id: str
    state: str
    what: str
    output: str | None
    """The file of the run that it makes; None for a server, a worker, the controller."""
    partition: str
    node: str
    elapsed: str
    limit: str
    memory: str
    """What it asked for."""
    memory_used_mb: float | None
    reason: str
    """Why it waits; empty while it runs."""


@dataclass(frozen=True)
class Queue:
    """The jobs of the run, and whether SLURM could be asked for them."""

    jobs: tuple[QueuedJob, ...] = ()
    asked: float | None = None
    """When SLURM answered last (seconds since 1970); None if it was not asked or never did."""
    problem: str | None = None
    """Why the jobs are not known, or not fresh."""


@dataclass(frozen=True)
class Server:
    """A server of a model that was started for the run, or that it holds."""

    name: str
    status: str
    model: str
    job: str | None
    node: str | None
    gpus: int
    restarts: int
    tokens_per_s: float | None
    running: float | None
    waiting: float | None
    users: tuple[str, ...]
    """Stages of this run that hold it, as point/stage."""
    reason: str | None


@dataclass(frozen=True)
class Holder:
    """The process that holds the run; `alive` is None where that cannot be told from here."""

    pid: int
    host: str
    job: str | None
    here: bool
    alive: bool | None


@dataclass(frozen=True)
class Snapshot:
    """How a run stands; times are seconds since 1970 (UTC)."""

    run: str
    folder: str
    taken: float
    state: RunState
    sentence: str
    """The state with its circumstances, for people."""
    holder: Holder | None
    began: float | None
    """When it was started last."""
    elapsed_s: float | None
    """Since then, or until its end."""
    done: int
    total: int
    """Files of the graph."""
    spent: Spent
    owners: tuple[Owner, ...]
    """References first, then points."""
    work: tuple[Work, ...]
    conversions: tuple[Conversion, ...]
    queue: Queue
    servers: tuple[Server, ...]
    gpu_seconds: dict[str, float]
    """Stage (point/stage; empty for nobody) -> what it used of the servers."""
    problems: tuple[str, ...]
    schema: int = SNAPSHOT_SCHEMA

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, with the one-word states of owners and stages spelled out."""
        plain: dict[str, Any] = asdict(self)
        for owner, told in zip(self.owners, plain["owners"], strict=True):
            told["state"] = owner.state
            for stage, about in zip(owner.stages, told["stages"], strict=True):
                about["state"] = stage.state
        return plain
