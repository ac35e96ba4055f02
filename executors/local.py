"""Chunks on this machine: in this process, or in local worker processes that die with it."""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any

from coffea.processor.executor import ExecutorBase, WorkItem

from executors import reading
from executors.base import Chunk, Err, OnResult, Result, Task
from executors.memory import limit_memory, reuse_memory
from executors.parent import die_with_parent
from executors.prefetch import most_together
from executors.runner import chunk_of, do_run, run, runs
from executors.sandbox import zygote
from executors.sockets import give_multiprocessing_room

WorkFunction = Callable[[WorkItem], Result]
PRELOADED = ("coffea.nanoevents", "coffea.processor", "pandas", "pyarrow.parquet")
"""Modules that the server of worker processes imports once, so that a worker starts in no time."""


def ignore_result(result: Result) -> None:
    """The `on_result` of someone who waits for the end."""


@dataclass
class InlineCoffea(ExecutorBase):  # type: ignore[misc]  # coffea ships no types
    """coffea's executor interface, one chunk after the other."""

    on_result: OnResult = ignore_result

    def __call__(
        self, items: Sequence[WorkItem], function: WorkFunction, accumulator: Any
    ) -> tuple[dict[str, list[Result]], int]:
        results = []
        for item in items:
            results.append(function(item))
            self.on_result(results[-1])
        return {"out": results}, 0


class InlineExecutor:
    """Chunks one after the other in this process: the easiest place to debug in."""

    workers = 1

    def __init__(self, retries: int = 0) -> None:
        self.retries = retries

    def __enter__(self) -> InlineExecutor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def map(
        self, chunks: Sequence[Chunk], task: Task, on_result: OnResult | None = None
    ) -> list[Result]:
        """Do every chunk, in order."""
        reuse_memory()
        try:
            inline = InlineCoffea(on_result=on_result or ignore_result)
            return run(inline, chunks, task, self.retries, together=len(chunks))
        finally:
            reading.close()


@dataclass
class PoolCoffea(ExecutorBase):  # type: ignore[misc]  # coffea ships no types
    """coffea's executor interface over a pool of processes that may break.

    coffea's own FuturesExecutor loses every result when one worker dies. Here only a few runs of
    chunks per worker are on their way at any time; if the pool breaks, those chunks are the
    suspects, and each is tried alone, so that the one that kills its worker is found and the others
    are done.
    """

    pool: ProcessesExecutor | None = None
    on_result: OnResult = ignore_result
    tries_alone: int = 1

    def __call__(
        self, items: Sequence[WorkItem], function: WorkFunction, accumulator: Any
    ) -> tuple[dict[str, list[Result]], int]:
        results: list[Result] = []
        waiting = runs(items)
        while True:
            suspects = self._together(waiting, function, results)
            if not suspects:
                return {"out": results}, 0
            for item in suspects:
                self._keep(self._alone(item, function), results)

    def _keep(self, result: Result, results: list[Result]) -> None:
        results.append(result)
        self.on_result(result)

    def _together(
        self, waiting: Iterator[list[WorkItem]], function: WorkFunction, results: list[Result]
    ) -> list[WorkItem]:
        """Work on everything that waits; return what was on its way when the pool broke."""
        assert self.pool is not None
        window = 2 * self.pool.workers
        going: dict[Future[list[Result]], list[WorkItem]] = {}
        broken: list[WorkItem] = []
        while not broken:
            for own in islice(waiting, window - len(going)):
                try:
                    going[self.pool.submit(function, own)] = own
                except BrokenProcessPool:
                    broken += own
                    break
            if not going:
                break
            done, _ = wait(going, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda f: going[f][0].entrystart):
                self._finish(future, going.pop(future), results, broken)
        if not broken:
            return []
        for future, own in going.items():  # a result may have come before the pool broke
            self._finish(future, own, results, broken)
        self.pool.restart()
        return broken

    def _finish(
        self,
        future: Future[list[Result]],
        own: list[WorkItem],
        results: list[Result],
        broken: list[WorkItem],
    ) -> None:
        """Keep what became of a run, or add it to what was on its way when the pool broke."""
        if isinstance(future.exception(), BrokenProcessPool):
            broken += own
            return
        for result in future.result():
            self._keep(result, results)

    def _alone(self, item: WorkItem, function: WorkFunction) -> Result:
        """Work on one suspect with nothing beside it, as often as is allowed."""
        assert self.pool is not None
        for _ in range(self.tries_alone):
            try:
                (result,) = self.pool.submit(function, [item]).result()
                return result
            except BrokenProcessPool:
                self.pool.restart()
        chunk = chunk_of(item)
        return Err(
            chunk,
            "worker",
            f"the worker process died each time at entries {chunk.start} to {chunk.stop} (killed, "
            "out of memory, or a crash in compiled code); lower data.chunk_size or raise "
            "site.memory_gb, and look at the last lines of the log",
            "BrokenProcessPool",
            attempts=1 + self.tries_alone,
        )


class ProcessesExecutor:
    """Chunks in `workers` processes, each with its own memory limit and none outliving us."""

    def __init__(self, workers: int, memory_gb: float, retries: int = 0) -> None:
        self.workers = workers
        self.retries = retries
        self._memory = int(memory_gb * 1e9)
        self._context = mp.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOADED))
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> ProcessesExecutor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def map(
        self, chunks: Sequence[Chunk], task: Task, on_result: OnResult | None = None
    ) -> list[Result]:
        """Do every chunk, in whatever order workers are free."""
        executor = PoolCoffea(
            pool=self, on_result=on_result or ignore_result, tries_alone=max(1, self.retries)
        )
        together = most_together(len(chunks), self.workers)
        return run(executor, chunks, task, self.retries, together)

    def submit(self, function: WorkFunction, own: list[WorkItem]) -> Future[list[Result]]:
        """Have a run of items worked on; the pool is made when it is first needed."""
        if self._pool is None:
            give_multiprocessing_room()  # the server of processes listens on a socket
            self._pool = ProcessPoolExecutor(
                self.workers,
                self._context,
                initializer=start_worker,
                initargs=(self._memory, zygote.channel()),
            )
        return self._pool.submit(do_run, function, own)

    def restart(self) -> None:
        """Forget a broken pool; the next item starts a new one."""
        self._stop()

    def _stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def start_worker(memory: int, asking: socket.socket | None = None) -> None:
    """Tie a worker process to the process that it works for, and to `memory` bytes of its own.

    `asking` is the channel to the zygote of that process, for the sandboxes of this one.
    """
    if asking is not None:
        zygote.use(asking)
    die_with_parent()  # its parent is the server of processes, which outlives us as long as it does
    threading.Thread(target=_die_with_employer, name="employer", daemon=True).start()
    limit_memory(memory)
    reuse_memory()


def _die_with_employer() -> None:
    """Wait until the process that asked for this worker is gone, then go."""
    employer = mp.parent_process()
    if employer is not None:
        employer.join()
        os.kill(os.getpid(), signal.SIGKILL)
