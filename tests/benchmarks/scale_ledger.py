"""The ledger of a million SYNTHETIC chunks: written by many jobs, read as one, and as one base."""

from __future__ import annotations

import multiprocessing as mp
import sqlite3
import time
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa

from pipeline.data.parts import read_part
from pipeline.stages.convert.ledger_table import FILE, ledger_of, read_rows, write_rows
from tests.benchmarks.synthetic_set import (
    CHUNKS_PER_FILE,
    PARTS,
    rows_of_part,
    synthetic_fileset,
)

WRITERS, SEVERAL = 8, 200
"""Jobs that write at a time, and how many of the PARTS are written so."""


def ledger_write(folder: Path, files: int) -> dict[str, Any]:
    """The ledgers of all parts, one Parquet file each; only writing is timed."""
    index = folder / "synthetic.parts.json"
    took, chunks, size = [], 0, 0
    for number in range(PARTS):
        rows = rows_of_part(read_part(index, number))
        path = folder / "parts" / str(number) / FILE
        began = time.perf_counter()
        write_rows(path, rows)
        took.append(time.perf_counter() - began)
        chunks += len(rows)
        size += path.stat().st_size
    return {"chunks": chunks, "seconds": sum(took), "ms_per_job": 1e3 * median(took),
            "mb": size / 1e6}  # fmt: skip


def ledger_many(folder: Path, files: int) -> dict[str, Any]:
    """WRITERS jobs at a time, each killed once in the middle of it and done again.

    Every file that is there at any time is whole, and in the end they are those of `ledger_write`.
    """
    context = mp.get_context("fork")
    index, left, halves = folder / "synthetic.parts.json", list(range(SEVERAL)), 0
    while left:
        now, left = left[:WRITERS], left[WRITERS:]
        for patience in (0.002, None):
            going = [context.Process(target=_write_part, args=(index, folder, n)) for n in now]
            for one in going:
                one.start()
            for one in going:
                one.join(patience)
                one.kill()
                one.join()
            halves += sum(not _is_whole(folder / "many" / f"{n}.parquet") for n in now)
    same = all(
        (folder / "many" / f"{n}.parquet").read_bytes()
        == (folder / "parts" / str(n) / FILE).read_bytes()
        for n in range(SEVERAL)
    )
    return {"writers": WRITERS, "jobs": SEVERAL, "halves": halves, "same": same}


def _write_part(index: Path, folder: Path, number: int) -> None:
    rows = rows_of_part(read_part(index, number))
    for _ in range(3):  # so that the killing meets some of them as they write
        write_rows(folder / "many" / f"{number}.parquet", rows)


def _is_whole(path: Path) -> bool:
    """Whether a file that is there can be read, and has all of its rows."""
    try:
        return not path.exists() or len(read_rows([path])) % CHUNKS_PER_FILE == 0
    except (pa.ArrowException, OSError):
        return False


def ledger_read(folder: Path, files: int) -> dict[str, Any]:
    """All of them read, checked and added up, as the job that gathers does."""
    fileset = synthetic_fileset(files, counted=True)
    began = time.perf_counter()
    table = read_rows([folder / "parts" / str(n) / FILE for n in range(PARTS)])
    content = ledger_of(fileset, table, "0" * 64)
    write_rows(folder / FILE, table)
    seconds = time.perf_counter() - began
    samples = content["samples"].values()
    return {
        "chunks": sum(s["chunks"] for s in samples),
        "events": sum(s["entries_done"] for s in samples),
        "complete": all(s["complete"] for s in samples), "seconds": seconds,
        "mb": (folder / FILE).stat().st_size / 1e6,
    }  # fmt: skip


def sqlite_write(folder: Path, files: int) -> dict[str, Any]:
    """The same rows in one SQLite file, a transaction per job, by one writer after the other.

    With the rollback journal: the write-ahead log needs memory that all writers share, which no
    network file system gives.
    """
    base = sqlite3.connect(folder / "ledger.sqlite")
    base.execute(
        "CREATE TABLE chunks (id TEXT, sample TEXT, number INT, file TEXT, start INT, stop INT,"
        " rows INT, sha256 TEXT, kind TEXT, message TEXT)"
    )
    took = []
    for number in range(PARTS):
        table = read_rows([folder / "parts" / str(number) / FILE])
        rows = [tuple(row.values()) for row in table.to_pylist()]
        began = time.perf_counter()
        with base:
            base.executemany(f"INSERT INTO chunks VALUES ({','.join('?' * 10)})", rows)
        took.append(time.perf_counter() - began)
    return {"seconds": sum(took), "ms_per_job": 1e3 * median(took),
            "mb": (folder / "ledger.sqlite").stat().st_size / 1e6}  # fmt: skip


def sqlite_read(folder: Path, files: int) -> dict[str, Any]:
    """The sums by sample, and the check that the chunks of each file lie end to end."""
    base = sqlite3.connect(folder / "ledger.sqlite")
    began = time.perf_counter()
    sums = base.execute(
        "SELECT sample, count(*), sum(stop - start) FROM chunks WHERE sha256 IS NOT NULL"
        " GROUP BY sample"
    ).fetchall()
    gaps = base.execute(
        "SELECT count(*) FROM (SELECT start, lag(stop, 1, 0) OVER"
        " (PARTITION BY sample, number ORDER BY start) AS before FROM chunks) WHERE start != before"
    ).fetchone()[0]
    seconds = time.perf_counter() - began
    return {"chunks": sum(s[1] for s in sums), "events": sum(s[2] for s in sums), "gaps": gaps,
            "seconds": seconds}  # fmt: skip
