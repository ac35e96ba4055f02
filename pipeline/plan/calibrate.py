"""Measure what convert costs: the reference solution on a file, in one process of this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from math import ceil
from pathlib import Path
from statistics import mean

import numpy as np
import pyarrow as pa
from scipy.optimize import nnls

from executors import NAMES, make_executor
from executors.base import Chunk, ChunkExecutor, Cost, Err
from pipeline.data.chunks import edges
from pipeline.data.probe import Problem, count_entries
from pipeline.data.verify import adler32_file
from pipeline.files import sha256_file, write_table
from pipeline.plan.throughput import Calibration, machine
from pipeline.provenance import code_sha256
from pipeline.settings import Settings
from pipeline.stages.convert.runner import ConvertError
from pipeline.stages.convert.store import ChunkStore
from pipeline.stages.convert.task import ConvertTask
from pipeline.stages.registry import reference_path

SPLIT = 4
"""The small chunks are so much smaller."""
LEAST = 8
"""Chunks of each kind that a measurement needs at least: those of a short file are done again."""
FEWEST = 16
"""Entries of a file that can be a measure."""
COPIES = 2
"""Tables of the rows of data: `output`, which a solver may see, and `sealed`."""


class CalibrationError(ValueError):
    """A file is no measure of how fast convert is."""


@dataclass(frozen=True)
class Measured:
    """One chunk: its events, and what it took."""

    events: int
    cost: Cost


def calibrate(settings: Settings, path: Path, synthetic: bool) -> Calibration:
    """Convert the file at `path` chunk by chunk in one worker of the site's kind; blinded as data.

    In chunks of the settings' size, in chunks of a quarter of it, and in some for each of which the
    file is opened anew: what a chunk, an opening and a process cost besides the events comes out of
    the differences. All in processor seconds, as `promotions` compares them.

    Raises CalibrationError for a file that cannot be read or is too short for a measure, and
    ConvertError if the reference fails on it.
    """
    counted = count_entries(path, settings.channel.tree)
    if isinstance(counted, Problem):
        raise CalibrationError(counted.message)
    if counted < FEWEST:
        raise CalibrationError(
            f"expected at least {FEWEST} entries in {path.name} to measure on, found {counted}"
        )
    if settings.data.chunk_size < SPLIT:
        raise CalibrationError(
            f"expected data.chunk_size of at least {SPLIT} to measure with, found "
            f"{settings.data.chunk_size}; leave it away, or give that of the run"
        )
    size = min(settings.data.chunk_size, counted)
    small = _enough(edges(counted, size // SPLIT))
    with tempfile.TemporaryDirectory(prefix="ladon-calibrate-") as name:
        bench = _Bench(settings, Path(name), path)
        with bench.executor() as executor:
            large = bench.run(executor, _enough(edges(counted, size)), 1)
        kept = bench.kept() / sum(m.events for m in large)
        with bench.executor() as executor:
            others = bench.run(executor, small, 1) + bench.run(executor, small[:LEAST], 2)
    fitted = _plane(large + others)
    typical = [(m, _seconds(m, fitted)) for m in large if not m.cost.first]
    ratios = sorted(m.cost.cpu_s / seconds for m, seconds in typical)
    return Calibration(
        channel=settings.channel.name,
        selection=settings.channel.selection,
        s_per_event=fitted[0],
        s_per_chunk=fitted[1],
        s_per_file=fitted[2],
        s_per_process=_start(large + others, fitted),
        slowest=round(max(1.0, ratios[-1]), 3),
        fastest=round(min(1.0, ratios[0]), 3),
        kept_bytes_per_event=round(kept, 3),
        max_rss_mb=round(max(m.cost.max_rss_mb for m in large + others), 1),
        chunks=len(large) + len(others),
        events=counted,
        file=path.name,
        adler32=adler32_file(path),
        synthetic=synthetic,
        executor=bench.kind,
        machine=machine(),
        code_sha256=code_sha256(),
    )


def _enough(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges, as often as it takes to have LEAST of them."""
    return ranges * ceil(LEAST / len(ranges))


class _Bench:
    """A folder to convert one file in, again and again."""

    def __init__(self, settings: Settings, folder: Path, path: Path) -> None:
        site = settings.site.executor
        self.kind = site if site in NAMES else "dask"  # what works on a cluster is Dask's too
        self._settings, self._folder, self._name = settings, folder, path.stem
        self._paths = [folder / f"{n}.root" for n in range(2)]
        for link in self._paths:
            link.symlink_to(path.resolve())
        solution = reference_path(settings, "convert")
        sha256 = sha256_file(solution)
        self._store = ChunkStore.of(folder / "chunks", sha256, settings)
        facts = dict.fromkeys(("xsec_pb", "filter_efficiency", "k_factor", "sum_of_weights"))
        self._task = ConvertTask(
            str(solution), sha256, settings.channel, settings.data.release,
            frozenset({self._name}), self._store, {self._name: facts},
        )  # fmt: skip
        self._keys: list[str] = []

    @contextmanager
    def executor(self) -> Iterator[ChunkExecutor]:
        """One worker, which is started anew (but where chunks are worked on in this process)."""
        with make_executor(self.kind, 1, self._settings.site.memory_gb) as executor:
            yield executor

    def run(
        self, executor: ChunkExecutor, ranges: Sequence[tuple[int, int]], files: int
    ) -> list[Measured]:
        """Convert these entries; with two `files` it is opened for each range."""
        began = len(self._keys)
        chunks = [
            Chunk(f"{began + i:016x}", self._name, str(path), self._settings.channel.tree, *ends)
            for i, (ends, path) in enumerate(zip(ranges, cycle(self._paths[:files]), strict=False))
        ]
        self._keys += [self._store.key(chunk, "data") for chunk in chunks]
        measured = []
        for result in executor.map(chunks, self._task):
            if isinstance(result, Err):
                raise ConvertError(result.message)
            assert result.cost is not None
            measured.append(Measured(len(result.chunk), result.cost))
        return measured

    def kept(self) -> int:
        """Bytes that the chunks so far are on disk, and the tables that are made of them."""
        stored = (self._folder / "chunks").rglob("*")
        size = sum(p.stat().st_size for p in stored if p.is_file())
        rows = pa.concat_tables([self._store.load(key) for key in self._keys])
        table = self._folder / "rows.parquet"
        write_table(table, rows.to_pandas())
        return size + COPIES * table.stat().st_size


Fitted = tuple[float, float, float]
"""Processor seconds per event, per chunk, and per opening of a file."""


def _plane(measured: Sequence[Measured]) -> Fitted:
    """What describes the chunks of warm processes best; none of the three is negative.

    What an event takes is at least its standard error: in a few events nothing smaller is seen, and
    a plan must not take many of them for free.
    """
    warm = [m for m in measured if not m.cost.first]
    counts = np.array([[m.events, 1.0, float(m.cost.opened)] for m in warm])
    seconds = np.array([m.cost.cpu_s for m in warm])
    relative = counts / seconds[:, None]
    found, distance = nnls(relative, np.ones(len(seconds)))
    variance = distance**2 / max(1, len(warm) - 3)
    error = np.sqrt(variance * np.linalg.pinv(relative.T @ relative)[0, 0])
    found[0] = max(found[0], error)
    per_event, per_chunk, per_file = (float(f"{value:.4g}") for value in found)
    return per_event, per_chunk, per_file


def _seconds(one: Measured, fitted: Fitted) -> float:
    return fitted[0] * one.events + fitted[1] + fitted[2] * one.cost.opened


def _start(measured: Sequence[Measured], fitted: Fitted) -> float:
    """What the first chunk of a process takes more than others: starting it, loading everything."""
    more = [m.cost.cpu_s - _seconds(m, fitted) for m in measured if m.cost.first]
    return float(f"{max(0.0, mean(more)):.4g}") if more else 0.0
