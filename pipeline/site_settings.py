"""The part of the frozen settings that says where a run runs, and what it may use there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from executors.serving.spec import SiteSpec
from pipeline.agent_settings import SandboxLimits


@dataclass(frozen=True)
class ElasticSettings:
    """Workers that come and go as jobs of their own (`site.executor=elastic`)."""

    minimum: int = 1
    maximum: int = 8
    """Most worker jobs at a time; the scheduler asks for as many as there is work for."""
    walltime: str = "01:00:00"
    """Of a worker job, hours:minutes:seconds."""
    lifetime: str = "50m"
    """A worker ends by itself after so long and is replaced, well before its walltime."""
    stagger: str = "4m"
    """Spread of the lifetimes, so that not all workers end at once."""
    setup: tuple[str, ...] = ()
    """Lines of shell at the beginning of a worker job, e.g. module load python."""
    options: tuple[str, ...] = ()
    """Further options of sbatch for worker jobs, e.g. --reservation=open."""


@dataclass(frozen=True)
class BudgetSettings:
    """How large the jobs of a run may be, and the run itself (`ladon plan`)."""

    job_minutes: float = 60.0
    """About how long one job of convert is to take; more work is cut into more jobs."""
    most_jobs: int = 2000
    """Most jobs that the graph of a point may have."""
    convert_jobs: int | None = None
    """Jobs of convert, whatever the plan says; None leaves it to the plan."""
    core_hours: float | None = None
    """A run that is planned to cost more is refused; None: no limit."""
    gate_core_hours: float | None = None
    """A run that is planned to cost more has to come by data.share, step by step; None: none."""
    override: bool = False
    """Run although budget or gate refuse."""


@dataclass(frozen=True)
class SiteSettings:
    """Where the run runs; numbers of SLURM (memory, time, ...) are in the profile."""

    name: str
    scheduler: Literal["none", "slurm"] = "none"
    """Who runs the steps: this machine, or SLURM, one job per step."""
    profile: str = "laptop"
    """A folder of slurm/profiles, or a path of a folder with a config.yaml like theirs."""
    account: str | None = None
    partition: str | None = None
    qos: str | None = None
    """Account, partition and quality of service of all jobs; None leaves the profile's."""
    jobs: int = 50
    """Most jobs of the graph in the queue at a time."""
    requeue: bool = False
    """At the controller's walltime: go back into the queue and continue."""
    executor: Literal["inline", "processes", "dask", "allocation", "elastic"] = "processes"
    """Where convert runs: in one process, in local processes, on a local Dask cluster, on Dask in
    one SLURM allocation, or on Dask workers that are jobs of their own."""
    workers: int = 2
    cores: int = 2
    retries: int = 2
    memory_gb: float = 2.0
    """Memory limit per worker."""
    interface: str | None = None
    """Network interface of Dask's scheduler and workers on the nodes; None lets Dask choose."""
    local_disk: str | None = None
    """Folder on each node's own disk for what Dask keeps; $VARIABLES are expanded on the node."""
    elastic: ElasticSettings = field(default_factory=ElasticSettings)
    container: str | None = None
    """Image of containers/analysis.def in which every step runs; None runs them without one."""
    container_options: tuple[str, ...] = ()
    """Further options of `apptainer exec` for it, e.g. --bind=/data."""
    sandbox: Literal["auto", "bubblewrap", "apptainer", "plain", "none"] = "auto"
    """What a model's code runs in; auto is the strongest that works here."""
    sandbox_image: str | None = None
    """Image of containers/sandbox.def, for sandbox=apptainer; None is LADON_SANDBOX_IMAGE."""
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    serve: SiteSpec = field(default_factory=SiteSpec)
    """How and where models are served for the run."""
