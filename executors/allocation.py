"""Chunks on Dask inside one SLURM allocation: scheduler, client and workers are its tasks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import dask
from distributed import Client
from distributed.core import rpc

from executors.base import ExecutorError
from executors.dask import START_TIMEOUT, DaskExecutor, cluster_settings
from executors.memory import reuse_memory
from executors.security import make_keys, remove_keys, security

FEWEST = 3
"""Tasks: the scheduler, the client, and a worker."""
WORKERS_WITHIN_S = 120.0


class AllocationError(RuntimeError):
    """The tasks of an allocation did not become a Dask cluster."""


class AllocationExecutor(DaskExecutor):
    """Chunks on the tasks of the job step that this process is a task of (`srun --ntasks=N`).

    Entering it parts the tasks: the first becomes Dask's scheduler, the second goes on as the
    client, and all others work; only the client comes back, and leaving it ends the others. Each
    worker has a nanny, so that one that dies (or exceeds its memory) is replaced.
    """

    def __init__(
        self,
        workers: int,
        memory_gb: float,
        retries: int,
        shared: Path,
        interface: str | None = None,
        local_disk: str | None = None,
    ) -> None:
        """`shared` is a folder that all nodes see, for the scheduler's address."""
        super().__init__(workers, memory_gb, retries)
        self.shared, self.interface, self.local_disk = shared, interface, local_disk

    def __enter__(self) -> AllocationExecutor:
        quiet_dask_jobqueue()
        from dask_jobqueue.slurm import SLURMRunner  # here: importing it takes SIGINT over

        meeting = meeting_file(self.shared, os.environ)
        keys = meeting.with_suffix(".keys")
        if os.environ["SLURM_PROCID"] == "0":
            make_keys(keys)
        sealed = security(keys)
        self._open.callback(remove_keys, keys)
        self._open.enter_context(dask.config.set(cluster_settings(self.retries)))
        runner = self._open.enter_context(
            SLURMRunner(  # type: ignore[no-untyped-call]
                scheduler_file=str(meeting),
                scheduler_options={
                    **scheduler_options(self.interface), "protocol": "tls://", "security": sealed,
                },
                worker_class="distributed.Nanny",
                worker_options={
                    **worker_options(self.memory_gb, self.interface, self.local_disk),
                    "protocol": "tls://", "security": sealed,
                },
            )
        )  # fmt: skip
        # By which it ends the scheduler; its own knows no keys.
        runner.scheduler_comm = rpc(  # type: ignore[no-untyped-call]
            runner.scheduler_address,
            connection_args=sealed.get_connection_args("client"),  # type: ignore[no-untyped-call]
        )
        self._open.callback(meeting.unlink, missing_ok=True)  # at the end: all tasks read it
        reuse_memory()
        client = Client(  # type: ignore[no-untyped-call]
            runner.scheduler_address, security=sealed, timeout=START_TIMEOUT
        )
        self._client = self._open.enter_context(client)
        self._await_workers(client)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the other tasks; all of them have to have begun.

        A nanny that starts when its scheduler is gone waits, and then fails, and its job with it:
        that is where all chunks were done before, and the client has nothing to do.
        """
        if self._client is not None:
            with suppress(TimeoutError):
                self._client.wait_for_workers(self.workers, timeout=WORKERS_WITHIN_S)
        super().__exit__(kind, error, trace)

    def _await_workers(self, client: Client) -> None:
        """At least one worker; the others join when they are there."""
        try:
            client.wait_for_workers(1, timeout=WORKERS_WITHIN_S)
        except TimeoutError as error:
            self._open.close()
            raise AllocationError(
                f"expected workers of this allocation within {WORKERS_WITHIN_S:.0f} s, found none; "
                "look at the end of the log, and whether site.interface is the nodes' private "
                "network"
            ) from error


def meeting_file(shared: Path, variables: Mapping[str, str]) -> Path:
    """Where the scheduler of this job step writes its address; another one for each start.

    Raises ExecutorError unless this process is one of enough tasks of a job step.
    """
    try:
        job, tasks = variables["SLURM_JOB_ID"], int(variables["SLURM_NTASKS"])
        step, restart = variables["SLURM_STEP_ID"], variables.get("SLURM_RESTART_COUNT", "0")
        int(variables["SLURM_PROCID"])
    except (KeyError, ValueError) as error:
        raise ExecutorError(
            f"expected to be a task of a SLURM job step, found no {error}; executor=allocation is "
            "for steps that srun starts (site.scheduler=slurm)"
        ) from error
    if tasks < FEWEST:
        raise ExecutorError(
            f"expected at least {FEWEST} tasks (Dask's scheduler, its client, a worker), found "
            f"{tasks}; raise site.workers"
        )
    shared.mkdir(parents=True, exist_ok=True)
    return (shared / f"dask-{job}.{step}.{restart}.json").resolve()


def scheduler_options(interface: str | None) -> dict[str, Any]:
    """Options of Dask's scheduler: on the site's interface, with no dashboard to quarrel over."""
    found: dict[str, Any] = {"dashboard": False, "dashboard_address": ":0", "port": 0}
    return found if interface is None else {**found, "interface": interface}


def worker_options(
    memory_gb: float, interface: str | None, local_disk: str | None
) -> dict[str, Any]:
    """Options of a worker's nanny; its files are on the node's own disk."""
    place = os.path.expandvars(local_disk) if local_disk else tempfile.gettempdir()
    found: dict[str, Any] = {
        "nthreads": 1,
        "memory_limit": int(memory_gb * 1e9),
        "local_directory": place,
        "death_timeout": START_TIMEOUT,
    }
    return found if interface is None else {**found, "interface": interface}


def quiet_dask_jobqueue() -> None:
    """Keep the import of dask-jobqueue from writing its defaults into the user's home."""
    os.environ.setdefault("DASK_CONFIG", os.devnull)  # a folder would be left where we are killed
