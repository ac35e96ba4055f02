"""The meter: how far a transfer is, how fast, and how long it will take."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from pipeline.data.identity import basename

EVERY_S = 5.0
"""Seconds between two lines where there is no terminal."""


class Meter:
    """Shows a transfer: a bar on a terminal; elsewhere a line per file and one now and then."""

    def __init__(self, console: Console, files: int, total: int) -> None:
        self.console = console
        self.files, self.total = files, total
        self.done = self.finished = 0
        self._began = self._told = time.monotonic()
        self._guard = threading.Lock()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(self._title(), total=total)

    def __enter__(self) -> Meter:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, uri: str, more: int, finished: bool) -> None:
        """`more` bytes of a file have come (fewer than none: they must come again), or it is whole.

        May be called from any thread.
        """
        with self._guard:
            self.done += more
            self.finished += finished
            self._bar.update(self._task, completed=self.done, description=self._title())
            if self.console.is_terminal:
                return
            now = time.monotonic()
            if finished or now - self._told >= EVERY_S:
                self._told = now
                name = f"  {basename(uri)}" if finished else ""
                self.console.print(self.line(now) + name, highlight=False, soft_wrap=True)

    def line(self, now: float) -> str:
        """The state at time `now` in one line: files, bytes, rate, time left."""
        rate = self.done / max(now - self._began, 1e-9)
        left = (self.total - self.done) / rate if rate > 0 else 0.0
        return (
            f"[{self.finished}/{self.files}] {self.done / 1e6:.1f} of {self.total / 1e6:.1f} MB, "
            f"{rate / 1e6:.1f} MB/s, {left:.0f} s left"
        )

    def _title(self) -> str:
        return f"fetch {self.finished}/{self.files}"
