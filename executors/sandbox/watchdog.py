"""The second line of every limit: a thread that looks at all processes of a sandbox and ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from executors.sandbox import interpreter, processes
from executors.sandbox.base import Limits, Status

INTERVAL_S = 0.1
CPU_GRACE_S = 1.0
"""The process's own limit (RLIMIT_CPU counts whole seconds) comes first."""


@dataclass(frozen=True)
class Verdict:
    """Why the watchdog ended a sandbox."""

    status: Status
    message: str


def judge(
    limits: Limits, usage: processes.Usage, cpu_before_s: float, wall_s: float | None
) -> Verdict | None:
    """The limit that `usage` is over, if any; `wall_s` is None between calls."""
    if usage.processes > limits.processes:
        return Verdict(
            "violation",
            f"the sandbox allows {limits.processes} processes, found {usage.processes}",
        )
    tasks = interpreter.tasks(limits, others=0)
    if usage.threads > tasks:
        return Verdict("violation", f"the sandbox allows {tasks} threads, found {usage.threads}")
    if usage.rss_mb > limits.memory_mb:
        return Verdict(
            "memory",
            f"over the memory limit of {limits.memory_mb} MB, found {usage.rss_mb:.0f} MB",
        )
    if usage.cpu_s - cpu_before_s > limits.cpu_s + CPU_GRACE_S:
        return Verdict("cpu", f"over the limit of {limits.cpu_s:g} s of CPU time")
    if wall_s is not None and wall_s > limits.wall_s:
        return Verdict("timeout", f"over the time limit of {limits.wall_s:g} s")
    return None


class Watchdog(threading.Thread):
    """Looks every tenth of a second while a sandbox lives, also between calls."""

    def __init__(
        self, members: Callable[[int], list[int]], end: Callable[[], None], limits: Limits
    ) -> None:
        super().__init__(name="ladon-watchdog", daemon=True)
        self.members, self.end, self.limits = members, end, limits
        self.verdict: Verdict | None = None
        self.max_rss_mb = 0.0
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._call_start: float | None = None
        self._cpu_s = self._cpu_before_s = 0.0

    def begin(self) -> None:
        """A call starts now; CPU time since the last look counts for it too."""
        with self._lock:
            self._cpu_before_s = self._cpu_s
            self._call_start = time.monotonic()

    def finish(self) -> float:
        """The call has ended; the CPU seconds that it took."""
        with self._lock:
            self._call_start = None
            return max(0.0, self._look().cpu_s - self._cpu_before_s)

    def run(self) -> None:
        """Look, judge and, where a limit is broken, end the sandbox."""
        while not self._ending.wait(INTERVAL_S):
            with self._lock:
                usage = self._look()
                wall = None if self._call_start is None else time.monotonic() - self._call_start
                verdict = judge(self.limits, usage, self._cpu_before_s, wall)
            if verdict is not None:
                self.verdict = verdict
                self.end()
                return

    def stop(self) -> None:
        """Stop looking; returns when the thread has ended."""
        self._ending.set()
        if self.is_alive():
            self.join()

    def _look(self) -> processes.Usage:
        pids = self.members(self.limits.processes)
        usage = processes.usage(pids)
        if usage.rss_mb > self.limits.memory_mb and usage.processes > 1:
            shared = processes.shared_once_mb(pids)
            usage = replace(usage, rss_mb=shared)
        self.max_rss_mb = max(self.max_rss_mb, usage.rss_mb)
        # What processes used that are gone by now stays used.
        self._cpu_s = max(self._cpu_s, usage.cpu_s)
        return replace(usage, cpu_s=self._cpu_s)
