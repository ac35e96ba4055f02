"""The progress display of a run: what is done, what works now, how far."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.files import RunFileError, read_json, write_json

FOLDER = "logs/progress"
MOST_TOLD = 4
"""Steps at work that the display names; of convert's jobs there may be a hundred."""
RATE_S = 30.0
"""Seconds over which the rate of events is taken."""


class StepProgress:
    """What a running step tells about itself: a small file that the display reads.

    Writing is limited to twice a second, so that fast work is not slowed by telling.
    """

    def __init__(self, run: Path, name: str) -> None:
        self.path = run / FOLDER / f"{name.replace('/', '-')}.json"
        self._last = 0.0
        self._seen: deque[tuple[float, int]] = deque()

    def __call__(self, done: int, total: int, events: int = 0) -> None:
        """Tell that `done` of `total` pieces are finished, with `events` events in them."""
        now = time.monotonic()
        if done < total and now - self._last < 0.5:
            return
        self._last = now
        rate = self._rate(now, events)
        told = {"done": done, "total": total, "events": events, "events_per_s": rate}
        write_json(self.path, told)

    def _rate(self, now: float, events: int) -> float | None:
        """Events per second of the last RATE_S; None until there is something to compare with.

        What a restart finds finished is told within the first moment and is no part of it.
        """
        self._seen.append((now, events))
        while len(self._seen) > 2 and now - self._seen[1][0] > RATE_S:
            self._seen.popleft()
        then, before = self._seen[0]
        return round((events - before) / (now - then), 1) if now > then and events else None

    def close(self) -> None:
        """The step has ended: the display forgets it."""
        self.path.unlink(missing_ok=True)


def clear(run: Path) -> None:
    """Forget the steps of a run that died."""
    for path in (run / FOLDER).glob("*.json"):
        path.unlink(missing_ok=True)


class RunDisplay:
    """Shows how many of the expected files exist, and what the running steps say.

    On a terminal a bar; elsewhere (a log, CI) one line per finished file.
    """

    def __init__(self, run: Path, expected: list[str], console: Console) -> None:
        self.run = run
        self.waiting = [f for f in expected if not (run / f).exists()]
        self.total = len(expected)
        self.console = console
        self.progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._started = time.monotonic()
        self._task = self.progress.add_task(
            "ladon", total=self.total, completed=self.total - len(self.waiting), detail=""
        )

    def __enter__(self) -> RunDisplay:
        self.progress.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.update()
        self.progress.stop()

    def update(self) -> None:
        """Look at the run directory once."""
        finished = [f for f in self.waiting if (self.run / f).exists()]
        for name in finished:
            self.waiting.remove(name)
            if not self.console.is_terminal:
                done = self.total - len(self.waiting)
                seconds = time.monotonic() - self._started
                self.console.print(
                    f"[{done}/{self.total}] {seconds:6.1f} s  {name}", highlight=False
                )
        self.progress.update(
            self._task, completed=self.total - len(self.waiting), detail=self._detail()
        )

    def _detail(self) -> str:
        parts = []
        for path in sorted((self.run / FOLDER).glob("*.json")):
            try:
                told = read_json(path)
            except (OSError, RunFileError):
                continue
            events = f", {told['events'] / 1e6:.1f} M events" if told["events"] else ""
            parts.append(f"{path.stem} {told['done']}/{told['total']}{events}")
        more = [f"and {len(parts) - MOST_TOLD} more"] if len(parts) > MOST_TOLD else []
        return "; ".join([*parts[:MOST_TOLD], *more])
