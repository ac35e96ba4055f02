"""Chunks on Dask workers that are SLURM jobs of their own, as many as there is work for."""

from __future__ import annotations

import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
from distributed import Client
from distributed.security import Security

from executors.allocation import quiet_dask_jobqueue, scheduler_options
from executors.dask import START_TIMEOUT, DaskExecutor, cluster_settings
from executors.security import make_keys, remove_keys, security


@dataclass(frozen=True)
class WorkerJobs:
    """What is asked of SLURM for workers; see `pipeline.site_settings.ElasticSettings`."""

    name: str
    """Name of the jobs; it begins with the run's tag, so that they are found and cancelled."""
    logs: Path
    minimum: int
    maximum: int
    walltime: str
    lifetime: str
    stagger: str
    memory_mb: int
    """That SLURM allows one worker; above Dask's own limit."""
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    setup: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def keys_folder(jobs: WorkerJobs) -> Path:
    """A new folder for the keys of one cluster, that all nodes see.

    Jobs of a run on two nodes may have the same process number, and each has a cluster.
    """
    jobs.logs.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{jobs.name}-", suffix=".keys", dir=jobs.logs))


def cluster_options(
    jobs: WorkerJobs,
    memory_gb: float,
    interface: str | None,
    local_disk: str | None,
    sealed: Security,
) -> dict[str, Any]:
    """Arguments of dask-jobqueue's SLURMCluster: one process of one thread per job.

    A worker ends by itself after its lifetime, before SLURM would end it with its work, and
    adaptive scaling replaces it.
    """
    extra = [f"--qos={jobs.qos}"] if jobs.qos is not None else []
    return {
        "cores": 1,
        "processes": 1,
        "memory": f"{memory_gb:g}GB",
        "job_mem": f"{jobs.memory_mb}M",
        "job_cpu": 1,
        "job_name": jobs.name,
        "queue": jobs.partition,
        "account": jobs.account,
        "walltime": jobs.walltime,
        "log_directory": str(jobs.logs),
        "interface": interface,
        "local_directory": local_disk,
        "death_timeout": START_TIMEOUT.removesuffix("s"),
        "python": shlex.quote(sys.executable),
        "job_script_prologue": [*jobs.setup, "unset SLURM_MEM_PER_NODE SLURM_MEM_PER_CPU"],
        "job_extra_directives": ["--no-requeue", *extra, *jobs.options],
        "worker_extra_args": ["--lifetime", jobs.lifetime, "--lifetime-stagger", jobs.stagger],
        "scheduler_options": scheduler_options(interface),
        "protocol": "tls://",
        "security": sealed,
    }


class ElasticExecutor(DaskExecutor):
    """Chunks on jobs of one worker each, between `minimum` and `maximum` of them."""

    def __init__(
        self,
        jobs: WorkerJobs,
        memory_gb: float,
        retries: int,
        interface: str | None = None,
        local_disk: str | None = None,
    ) -> None:
        super().__init__(jobs.maximum, memory_gb, retries)
        self.jobs, self.interface, self.local_disk = jobs, interface, local_disk

    def _connected(self) -> Client:
        if self._client is None:
            quiet_dask_jobqueue()
            from dask_jobqueue.slurm import SLURMCluster

            self._open.enter_context(dask.config.set(cluster_settings(self.retries)))
            keys = keys_folder(self.jobs)
            make_keys(keys)
            self._open.callback(remove_keys, keys)
            sealed = security(keys, by_name=True)
            options = cluster_options(
                self.jobs, self.memory_gb, self.interface, self.local_disk, sealed
            )
            cluster = self._open.enter_context(SLURMCluster(**options))
            cluster.adapt(
                minimum_jobs=self.jobs.minimum, maximum_jobs=self.jobs.maximum, interval="2s"
            )
            client = Client(cluster, security=sealed)  # type: ignore[no-untyped-call]
            self._client = self._open.enter_context(client)
        return self._client
