"""Many chunks in a row: what each costs beyond its work, and what it leaves in memory."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from executors import make_executor
from executors.base import Chunk, Ok
from pipeline.files import sha256_file
from pipeline.stages.convert.contract import reference_path
from pipeline.stages.convert.store import ChunkStore
from pipeline.stages.convert.task import ConvertTask
from tests.benchmarks.ways import fileset, settings

ROUNDS = 3


@dataclass(frozen=True)
class Nothing:
    """The work of a chunk that costs next to nothing: one branch of a few events is read."""

    branches: tuple[str, ...] = ("number",)

    def __call__(self, events: Any, chunk: Chunk) -> int:
        return len(events)


@dataclass(frozen=True)
class ResidentMemory:
    """Convert, and tell what the worker has in memory afterwards, in MB."""

    task: ConvertTask

    @property
    def branches(self) -> Any:
        return self.task.branches

    def __call__(self, events: Any, chunk: Chunk) -> float:
        self.task(events, chunk)
        return float(psutil.Process().memory_info().rss / 1e6)


def overhead_ms(path: Path, number: int) -> dict[str, float]:
    """Milliseconds per chunk of work that costs nothing, in this process and on one Dask worker.

    The first set of chunks starts the workers and is not counted; the fastest of ROUNDS is told.
    """
    chunks = [Chunk(f"{i}", "s", str(path), "analysis", 0, 10) for i in range(number)]
    found = {}
    for kind in ("inline", "dask"):
        with make_executor(kind, 1, 2.0) as executor:
            executor.map(chunks[:10], Nothing())
            times = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                results = executor.map(chunks, Nothing())
                times.append(time.perf_counter() - began)
                assert [r.value for r in results if isinstance(r, Ok)] == [10] * number
        found[kind] = min(times) / number * 1e3
    return found


def resident_mb(path: Path, number: int) -> list[float]:
    """What one worker has in memory after each of `number` full chunks, in MB."""
    chosen = settings()
    solution = reference_path(chosen)
    digest = sha256_file(solution)
    files = fileset(path)["chunks"]
    chunks = [
        Chunk(f"{i:016x}", "data", c["path"], chosen.channel.tree, c["start"], c["stop"])
        for i in range(number)
        for c in [files[i % len(files)]]
    ]
    with tempfile.TemporaryDirectory() as folder, make_executor("processes", 1, 2.0) as executor:
        task = ConvertTask(
            str(solution), digest, chosen.channel, chosen.data.release, frozenset({"data"}),
            ChunkStore.of(Path(folder), digest, chosen),
        )  # fmt: skip
        results = executor.map(chunks, ResidentMemory(task))
    return [float(r.value) for r in results if isinstance(r, Ok)]


def slope(values: list[float]) -> float:
    """MB per chunk of the straight line through the values, the first fifth left out."""
    warm = values[len(values) // 5 :]
    return float(np.polyfit(np.arange(len(warm)), warm, 1)[0])


def main() -> None:
    """`python -m tests.benchmarks.steady overhead|memory FILE NUMBER`: one line of JSON."""
    what, path, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    print(json.dumps({"overhead": overhead_ms, "memory": resident_mb}[what](path, number)))


if __name__ == "__main__":
    main()
