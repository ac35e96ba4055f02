"""Measure how fast the reference solution of convert is on a file, on one core of this machine."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.optimize import nnls

from executors.base import Chunk, Err, Result
from executors.local import InlineExecutor
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

LEAST = 4
"""Chunks that a measurement needs; the first, in which everything is loaded, is not timed."""
SPLIT = 4
"""The small chunks are so much smaller."""
COPIES = 2
"""Tables of the rows of data: `output`, which a solver may see, and `sealed`."""


class CalibrationError(ValueError):
    """A file is no measure of how fast convert is."""


def calibrate(settings: Settings, path: Path, synthetic: bool) -> Calibration:
    """Convert the file at `path` chunk by chunk in this process; blinded as data.

    Once in chunks of the settings' size and once in chunks of a quarter of it: what a chunk costs
    besides its events comes out of the difference.

    Raises CalibrationError for a file that cannot be read or is too short for a measure, and
    ConvertError if the reference fails on it.
    """
    counted = count_entries(path, settings.channel.tree)
    if isinstance(counted, Problem):
        raise CalibrationError(counted.message)
    size = min(settings.data.chunk_size, counted // LEAST)
    if size < SPLIT:
        raise CalibrationError(
            f"expected at least {LEAST * SPLIT} entries in {path.name} to measure on, found "
            f"{counted}"
        )
    large, kept = _timed(settings, path, counted, size)
    small, _ = _timed(settings, path, counted, size // SPLIT)
    per_event, per_chunk = _line(large + small)
    typical = [per_event * n + per_chunk for n, _ in large]
    ratios = sorted(s / t for (_, s), t in zip(large, typical, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Calibration(
        channel=settings.channel.name,
        selection=settings.channel.selection,
        s_per_event=per_event,
        s_per_chunk=per_chunk,
        slowest=round(max(1.0, ratios[-1]), 3),
        fastest=round(min(1.0, ratios[0]), 3),
        kept_bytes_per_event=round(kept / counted, 3),
        max_rss_mb=round(peak, 1),
        chunks=len(large) + len(small),
        events=counted,
        file=path.name,
        adler32=adler32_file(path),
        synthetic=synthetic,
        machine=machine(),
        code_sha256=code_sha256(),
    )


def _timed(
    settings: Settings, path: Path, entries: int, size: int
) -> tuple[list[tuple[int, float]], int]:
    """Events and seconds of every chunk but the first, and bytes that are kept of all."""
    name = path.stem
    chunks = [
        Chunk(f"{i:016x}", name, str(path), settings.channel.tree, start, stop)
        for i, (start, stop) in enumerate(edges(entries, size))
    ]
    solution = reference_path(settings, "convert")
    ends: list[float] = []
    failed: list[Err] = []

    def note(result: Result) -> None:
        ends.append(time.perf_counter())
        if isinstance(result, Err):
            failed.append(result)

    with tempfile.TemporaryDirectory(prefix="ladon-calibrate-") as folder:
        sha256 = sha256_file(solution)
        store = ChunkStore.of(Path(folder), sha256, settings)
        facts = dict.fromkeys(("xsec_pb", "filter_efficiency", "k_factor", "sum_of_weights"))
        task = ConvertTask(
            str(solution), sha256, settings.channel, settings.data.release, frozenset({name}),
            store, {name: facts},
        )  # fmt: skip
        with InlineExecutor() as executor:
            executor.map(chunks, task, note)
        if failed:
            raise ConvertError(failed[0].message)
        kept = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
        rows = pa.concat_tables([store.load(store.key(c, "data")) for c in chunks])
        write_table(Path(folder) / "rows.parquet", rows.to_pandas())
        kept += COPIES * (Path(folder) / "rows.parquet").stat().st_size
    spent = [end - begin for begin, end in pairwise(ends)]
    return list(zip(map(len, chunks[1:]), spent, strict=True)), kept


def _line(measured: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Seconds per event and per chunk that describe the chunks best; neither is negative."""
    events = np.array([[n, 1.0] for n, _ in measured])
    seconds = np.array([s for _, s in measured])
    per_event, per_chunk = nnls(events / seconds[:, None], np.ones(len(seconds)))[0]
    return float(f"{per_event:.4g}"), float(f"{per_chunk:.4g}")
