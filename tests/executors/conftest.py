"""A real ROOT file, and executors of each kind started once per session."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from executors import make_executor
from executors.base import Chunk, ChunkExecutor
from tests.images import image

ENTRIES = 1000
MEMORY_GB = 2.0
KINDS = ("inline", "processes", "dask")


@pytest.fixture(scope="session")
def root_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1000 events in several baskets: `number` 0…999, `pt` with number % 4 values of number."""
    path = tmp_path_factory.mktemp("some files") / "events.root"
    numbers = np.arange(ENTRIES, dtype=np.int64)
    counts = numbers % 4
    pt = ak.unflatten(np.repeat(numbers, counts).astype(np.float32), counts)
    with uproot.recreate(path) as file:
        file.mktree("analysis", {"number": "int64", "unused": "float32", "pt": "var * float32"})
        for start in range(0, ENTRIES, 300):
            stop = min(start + 300, ENTRIES)
            file["analysis"].extend(
                {
                    "number": numbers[start:stop],
                    "unused": np.zeros(stop - start, np.float32),
                    "pt": pt[start:stop],
                }
            )
    return path


@pytest.fixture(scope="session")
def started() -> Iterator[dict[str, ChunkExecutor]]:
    """One executor of each kind: two workers, one retry."""
    executors = {kind: make_executor(kind, 2, MEMORY_GB, 1) for kind in KINDS}
    yield executors
    for executor in executors.values():
        executor.__exit__(None, None, None)


@pytest.fixture(params=KINDS)
def executor(request: pytest.FixtureRequest, started: dict[str, ChunkExecutor]) -> ChunkExecutor:
    return started[request.param]


@pytest.fixture(scope="session")
def analysis_image() -> Path:
    """The image that steps run in."""
    return image("analysis")


def chunks_of(path: Path, *edges: int, tree: str = "analysis") -> list[Chunk]:
    """Chunks between consecutive edges, called c0, c1, …"""
    return [
        Chunk(f"c{i}", "sample", str(path), tree, start, stop)
        for i, (start, stop) in enumerate(pairwise(edges))
    ]
