"""Measure how fast the reference solution of convert is on a file, on one core of this machine."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import pyarrow as pa

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

LEAST = 3
"""Chunks that a measurement needs besides the first, in which everything is loaded."""
COPIES = 2
"""Tables of the rows of data: `output`, which a solver may see, and `sealed`."""


class CalibrationError(ValueError):
    """A file is no measure of how fast convert is."""


def calibrate(settings: Settings, path: Path, synthetic: bool) -> Calibration:
    """Convert the file at `path` chunk by chunk in this process; blinded as data.

    Raises CalibrationError for a file that cannot be read or is too short for a measure, and
    ConvertError if the reference fails on it.
    """
    counted = count_entries(path, settings.channel.tree)
    if isinstance(counted, Problem):
        raise CalibrationError(counted.message)
    size = min(settings.data.chunk_size, counted // (LEAST + 1))
    if size < 1:
        raise CalibrationError(
            f"expected at least {LEAST + 1} entries in {path.name} to measure on, found {counted}"
        )
    name = path.stem
    chunks = [
        Chunk(f"{i:016x}", name, str(path), settings.channel.tree, start, stop)
        for i, (start, stop) in enumerate(edges(counted, size))
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
        task = ConvertTask(
            str(solution), sha256, settings.channel, settings.data.release, frozenset({name}), store
        )
        with InlineExecutor() as executor:
            executor.map(chunks, task, note)
        if failed:
            raise ConvertError(failed[0].message)
        kept = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
        rows = pa.concat_tables([store.load(store.key(c, "data")) for c in chunks])
        write_table(Path(folder) / "rows.parquet", rows.to_pandas())
        kept += COPIES * (Path(folder) / "rows.parquet").stat().st_size
    rates = sorted(
        len(chunk) / (end - begin)
        for chunk, begin, end in zip(chunks[1:], ends, ends[1:], strict=False)
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Calibration(
        channel=settings.channel.name,
        selection=settings.channel.selection,
        events_per_s=(
            round(rates[len(rates) // 2], 1), round(rates[0], 1), round(rates[-1], 1),
        ),
        kept_bytes_per_event=round(kept / counted, 3),
        max_rss_mb=round(peak, 1),
        chunks=len(rates),
        events=counted,
        file=path.name,
        adler32=adler32_file(path),
        synthetic=synthetic,
        machine=machine(),
        code_sha256=code_sha256(),
    )  # fmt: skip
