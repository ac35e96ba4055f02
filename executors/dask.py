"""Chunks on a Dask cluster: one that we start on this machine, or a scheduler that is told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any

import dask
from coffea.processor.executor import ExecutorBase, WorkItem
from distributed import Client, LocalCluster, as_completed
from distributed.scheduler import KilledWorker

from executors.base import Chunk, Err, FaultKind, OnResult, Result, Task
from executors.local import ignore_result
from executors.prefetch import most_together
from executors.runner import chunk_of, do_run, run, runs

LOOPBACK = "127.0.0.1:0"
"""Any free port that only this machine can reach."""
START_TIMEOUT = "60s"
"""How long workers and scheduler wait for each other before they give up."""

LOST_AFTER, FOR_EVER = "distributed.deploy.lost-worker-timeout", "3650 days"
"""A local cluster looks so long after the death of a worker whether it is there, and gives it up if
it is not, also where it died again meanwhile or starts slowly. Its nanny always starts it again;
without one the chunks that are left would wait for ever."""


def cluster_settings(retries: int) -> dict[str, Any]:
    """Dask settings of a cluster of ours.

    No spilling (a chunk fits or fails), memory given back to the system, and no task waits on a
    worker: when a worker dies, the one chunk that it had is to blame.
    """
    memory = "distributed.worker.memory"
    return {
        f"{memory}.target": False,
        f"{memory}.spill": False,
        f"{memory}.pause": False,
        f"{memory}.terminate": 0.95,
        "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 0,
        "distributed.scheduler.allowed-failures": retries,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.comm.timeouts.connect": START_TIMEOUT,
    }


@dataclass
class DaskCoffea(ExecutorBase):  # type: ignore[misc]  # coffea ships no types
    """coffea's executor interface over the futures of a Dask client.

    coffea's own DaskExecutor raises for the whole set when one chunk kills its workers; here that
    chunk becomes an Err and each result is told as soon as it is there.
    """

    client: Client | None = None
    on_result: OnResult = ignore_result
    allowed_failures: int = 0

    def __call__(
        self,
        items: Sequence[WorkItem],
        function: Callable[[WorkItem], Result],
        accumulator: Any,
    ) -> tuple[dict[str, list[Result]], int]:
        assert self.client is not None
        work = partial(do_run, function)
        given = list(runs(items))
        futures = self.client.map(work, given, pure=False, retries=0, batch_size=1000)
        going = {f.key: own for f, own in zip(futures, given, strict=True)}
        results: list[Result] = []
        coming = as_completed(futures)  # type: ignore[no-untyped-call]
        for future in coming:
            own = going.pop(future.key)
            if len(own) > 1 and future.exception() is not None:  # each alone: which one is it?
                for item in own:
                    again = self.client.submit(work, [item], pure=False, retries=0)
                    going[again.key] = [item]
                    coming.add(again)  # type: ignore[no-untyped-call]
                continue
            for result in self._results(future, chunk_of(own[0])):
                results.append(result)
                self.on_result(result)
        return {"out": results}, 0

    def _results(self, future: Any, chunk: Chunk) -> list[Result]:
        """The results of a run; of one that failed, which has one chunk, why."""
        error = future.exception()
        if error is None:
            results: list[Result] = future.result()
            future.release()
            return results
        kind: FaultKind = "worker" if isinstance(error, KilledWorker) else "system"
        said = (
            "the worker died each time (killed, out of memory, or a crash in compiled code)"
            if kind == "worker"
            else f"Dask failed ({type(error).__name__}: {error})"
        )
        fault = Err(
            chunk,
            kind,
            f"{said} at entries {chunk.start} to {chunk.stop}; lower data.chunk_size or raise "
            "site.memory_gb, and look at the last lines of the log",
            type(error).__name__,
            attempts=1 + self.allowed_failures,
        )
        return [fault]


class DaskExecutor:
    """Chunks on Dask workers of one thread each.

    Without `scheduler` a cluster of `workers` processes is started on this machine and closed at
    the end; with it, its workers are used and left alone.
    """

    def __init__(
        self, workers: int, memory_gb: float, retries: int = 0, scheduler: str | None = None
    ) -> None:
        self.workers = workers
        self.retries = retries
        self.memory_gb = memory_gb
        self.scheduler = scheduler
        self._open = ExitStack()
        self._client: Client | None = None

    def __enter__(self) -> DaskExecutor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client = None
        self._open.close()

    def map(
        self, chunks: Sequence[Chunk], task: Task, on_result: OnResult | None = None
    ) -> list[Result]:
        """Do every chunk, in whatever order workers are free."""
        executor = DaskCoffea(
            client=self._connected(),
            on_result=on_result or ignore_result,
            allowed_failures=self.retries,
        )
        together = most_together(len(chunks), self.workers)
        return run(executor, chunks, task, self.retries, together)

    def _connected(self) -> Client:
        if self._client is None:
            address = self.scheduler or self._open.enter_context(self._local_cluster())
            client = Client(address, timeout=START_TIMEOUT)  # type: ignore[no-untyped-call]
            self._client = self._open.enter_context(client)
        return self._client

    def _local_cluster(self) -> LocalCluster:
        own = {**cluster_settings(self.retries), LOST_AFTER: FOR_EVER}
        self._open.enter_context(dask.config.set(own))
        scratch = self._open.enter_context(tempfile.TemporaryDirectory(prefix="ladon-dask-"))
        return LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=self.workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=int(self.memory_gb * 1e9),
            # Without an address both servers would take fixed ports, which another user may have.
            dashboard_address=LOOPBACK,
            worker_dashboard_address=LOOPBACK,
            scheduler_kwargs={"dashboard": False},
            local_directory=scratch,
            death_timeout=START_TIMEOUT,
            silence_logs=40,
        )
