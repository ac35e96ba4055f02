"""Tasks that worker processes can import: sums, and every way to fail."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from executors.base import Chunk, TaskError


@dataclass(frozen=True)
class Sums:
    """Sums over the events of a chunk."""

    branches: tuple[str, ...] = ("number", "pt")

    def __call__(self, events: Any, chunk: Chunk) -> dict[str, Any]:
        return {
            "fields": sorted(events.fields),
            "numbers": int(np.asarray(events["number"]).sum()),
            "objects": int(ak.count(events["pt"])),
            "last": float(ak.sum(events["pt"][-1:])),
        }


@dataclass(frozen=True)
class Failing:
    """Does what `how` says with the chunk called `where`; counts every try in `folder`."""

    how: str
    where: str
    folder: Path
    branches: tuple[str, ...] = ("number",)

    def __call__(self, events: Any, chunk: Chunk) -> dict[str, Any]:
        with (self.folder / chunk.id).open("a") as tries:
            tries.write("x")
        if chunk.id == self.where:
            getattr(self, self.how)()
        return {"events": len(events)}

    @property
    def tries(self) -> dict[str, int]:
        return {p.name: len(p.read_text()) for p in self.folder.iterdir()}

    def solution_error(self) -> None:
        try:
            _ = 1 / 0
        except ZeroDivisionError as error:
            raise TaskError("solution", "the solution divides by zero") from error

    def own_fault(self) -> None:
        raise LookupError("our own code is wrong")

    def exit(self) -> None:
        sys.exit(3)

    def disk_error(self) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def disk_error_once(self) -> None:
        if self.tries[self.where] == 1:
            self.disk_error()

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def die_once(self) -> None:
        if self.tries[self.where] == 1:
            self.die()

    def eat_memory(self) -> None:
        np.ones(20_000_000_000 // 8)

    def sleep(self) -> None:
        time.sleep(600)


@dataclass(frozen=True)
class Waiting:
    """Uses the processor for `works` seconds of its time, and waits for `waits` seconds."""

    works: float
    waits: float
    branches: tuple[str, ...] = ("number",)

    def __call__(self, events: Any, chunk: Chunk) -> dict[str, Any]:
        began = time.process_time()
        while time.process_time() < began + self.works:
            pass
        time.sleep(self.waits)
        return {}


@dataclass(frozen=True)
class Unreadable:
    """A task that cannot even say what it wants to read."""

    @property
    def branches(self) -> tuple[str, ...]:
        raise TaskError("solution", "release r has no variable 'foton_pt'; nearest: photon_pt")

    def __call__(self, events: Any, chunk: Chunk) -> dict[str, Any]:
        raise AssertionError("never called")
