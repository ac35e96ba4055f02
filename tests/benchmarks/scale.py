"""Work at the size of the full ATLAS Open Data, on SYNTHETIC entries: run as a process of its own.

`python -m tests.benchmarks.scale WHAT FOLDER NUMBER` prints one JSON object: seconds of the
work, processor seconds and megabytes of the whole process, and what was counted.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from executors.base import Chunk
from pipeline.configure import configure
from pipeline.data import manifest as manifests
from pipeline.data.manifest import Manifest, ManifestFile, Published, Sample, Skim
from pipeline.data.manifest_form import MANIFEST_SCHEMA, columns, read_manifest, write_manifest
from pipeline.data.parts import read_part, write_parts
from pipeline.freeze import freeze
from pipeline.graph import child_environment, snakemake_command
from pipeline.plan.estimate import make_plan
from pipeline.profile import write_profile
from pipeline.stages.convert.ledger import ChunkOutcome
from pipeline.stages.convert.ledger_table import FILE, ledger_of, read_rows, rows_of, write_rows
from pipeline.stages.convert.store import ChunkRecord

SAMPLES = 400
CHUNKS_PER_FILE = 15
EVENTS = 1000
"""Of a synthetic chunk."""
PARTS = 2000


def sha(*words: object) -> str:
    return hashlib.sha256("/".join(map(str, words)).encode()).hexdigest()


def synthetic_manifest(files: int) -> Manifest:
    """A release of so many small files in SAMPLES samples, a quarter of them simulated."""
    samples = {}
    for number in range(SAMPLES):
        own = tuple(
            ManifestFile(
                f"root://host//synthetic/{number}/file_{i:06}.root", 10**9 + i, f"{i:08x}",
                EVENTS * CHUNKS_PER_FILE,
            )
            for i in range(number, files, SAMPLES)
        )  # fmt: skip
        kind: Any = "mc" if number % 4 == 0 else "data"
        name = f"{700000 + number}" if kind == "mc" else f"data15_run_{number:08}"
        samples[name] = Sample(
            name, kind, 700000 + number if kind == "mc" else None, "synthetic", own, 1.0, 1.0, 1.0,
            1.0, 1.0, 1, (), (),
        )  # fmt: skip
    size = sum(s.size for s in samples.values())
    events = files * EVENTS * CHUNKS_PER_FILE
    total = Published(files, events, size, 1, "synthetic")
    skim = Skim("2024r-pp", "physlite", "CollectionTree", samples)
    return Manifest("2024r-pp", {}, {"physlite": skim}, {"total": total})


def synthetic_fileset(files: int, counted: bool) -> dict[str, Any]:
    """A fileset of a synthetic manifest, as the step leaves it."""
    skim = synthetic_manifest(files).skims["physlite"]
    samples = {
        name: {
            "kind": s.kind, "complete": True, "normalisable": True, "reason": None, "dsid": s.dsid,
            "xsec_pb": 1.0, "filter_efficiency": 1.0, "k_factor": 1.0, "sum_of_weights": 1.0,
            "role": "data" if s.kind == "data" else "signal", "process": "synthetic",
            "files": [
                {"uri": f.uri, "path": f"/synthetic/{name}/{i}.root", "size": f.size,
                 "adler32": f.adler32, "entries": f.entries if counted else None,
                 "verified": "size", "problem": None}
                for i, f in enumerate(s.files)
            ],
        }
        for name, s in skim.samples.items()
    }  # fmt: skip
    return {"release": "2024r-pp", "tree": skim.tree, "counted": False, "samples": samples,
            "chunks": []}  # fmt: skip


def outcomes_of(part: dict[str, Any]) -> tuple[list[ChunkOutcome], dict[str, str]]:
    """What a solution that costs nothing makes of a part; hashes are made up."""
    outcomes, hashes = [], {}
    for name, sample in part["samples"].items():
        for file in sample["files"]:
            for n in range(CHUNKS_PER_FILE):
                key = sha(name, file["uri"], n)
                chunk = Chunk(
                    key[:16], name, file["path"], part["tree"], n * EVENTS, (n + 1) * EVENTS
                )
                record = ChunkRecord(chunk.id, EVENTS, 1, 0, (("all", EVENTS),), 1)
                outcomes.append(ChunkOutcome(chunk, key, record, None))
                hashes[key] = key
    return outcomes, hashes


def numbers_of(part: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {
        (name, file["path"]): file["number"]
        for name, sample in part["samples"].items()
        for file in sample["files"]
    }


def rows_of_part(part: dict[str, Any]) -> pa.Table:
    """The rows of the ledger of one synthetic part."""
    outcomes, hashes = outcomes_of(part)
    return rows_of(outcomes, hashes, numbers_of(part))


def plan(folder: Path, files: int) -> dict[str, Any]:
    """`ladon plan` of a synthetic release of so many files, its manifest read from the disk."""
    written = folder / "2024r-pp.json.gz"
    write_manifest(written, _plain(synthetic_manifest(files)))
    manifests.manifest_path = lambda release: written
    settings = configure(
        ["data=opendata_2024", "solver=reference", "site=perlmutter"], located=False
    )
    process = replace(settings.channel.processes["data"], samples=_names(written))
    settings = replace(settings, channel=replace(settings.channel, processes={"data": process}))
    began = time.perf_counter()
    manifests.load_manifest.cache_clear()
    found = make_plan(settings).of_channel
    return {
        "files": found.everything.files, "events": found.everything.events.value,
        "chunks": found.chunks.value, "seconds": time.perf_counter() - began,
    }  # fmt: skip


def _plain(manifest: Manifest) -> dict[str, Any]:
    """A manifest as it is written."""
    plain = {"schema": MANIFEST_SCHEMA, **asdict(manifest)}
    for name, skim in manifest.skims.items():
        written = plain["skims"][name]
        del written["release"], written["name"]
        for sample, about in skim.samples.items():
            written["samples"][sample]["files"] = columns(about.files)
            del written["samples"][sample]["name"]
    return plain


def _names(path: Path) -> tuple[str, ...]:
    return tuple(read_manifest(path).skims["physlite"].samples)


def parts(folder: Path, files: int) -> dict[str, Any]:
    """Deal the files of a fileset out to PARTS jobs."""
    fileset = synthetic_fileset(files, counted=False)
    index = folder / "synthetic.parts.json"
    began = time.perf_counter()
    write_parts(fileset, PARTS, index)
    seconds = time.perf_counter() - began
    sizes = [p.stat().st_size for p in index.with_suffix("").iterdir()]
    return {"parts": len(sizes), "largest_kb": max(sizes) / 1e3, "seconds": seconds}


def graph(folder: Path, jobs: int) -> dict[str, Any]:
    """Snakemake's dry run of a run whose convert is so many jobs."""
    (folder / "nothing").mkdir()
    settings = configure(
        ["data=opendata_2024", f"data.location={folder / 'nothing'}", "solver=reference",
         f"site.budget.convert_jobs={jobs}", "run.name=graph"]
    )  # fmt: skip
    run = folder / "graph"
    began = time.perf_counter()
    layout = freeze(settings, run)
    froze = time.perf_counter() - began
    profile = write_profile(settings, run)
    command = [*snakemake_command(run, profile, {}), "--dry-run"]
    command[command.index("--quiet") + 1] = "rules"
    began = time.perf_counter()
    done = subprocess.run(
        command, env=child_environment(settings, run), capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    said = done.stdout + done.stderr
    planned = {
        line.split()[0]: int(line.split()[1])
        for line in said.splitlines()
        if len(line.split()) == 2 and line.split()[1].isdigit()
    }
    return {
        "parts": layout.points[0].parts, "convert_part": planned.get("convert_part"),
        "jobs": planned.get("total"), "freeze_s": froze, "seconds": seconds, "child_mb": peak,
    }  # fmt: skip


def ledger_write(folder: Path, files: int) -> dict[str, Any]:
    """The ledgers of all parts, one Parquet file each; only writing is timed."""
    index = folder / "synthetic.parts.json"
    seconds, chunks, size = 0.0, 0, 0
    for number in range(PARTS):
        rows = rows_of_part(read_part(index, number))
        path = folder / "parts" / str(number) / FILE
        began = time.perf_counter()
        write_rows(path, rows)
        seconds += time.perf_counter() - began
        chunks += len(rows)
        size += path.stat().st_size
    return {"chunks": chunks, "seconds": seconds, "ms_per_job": 1e3 * seconds / PARTS,
            "mb": size / 1e6}  # fmt: skip


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
    seconds = 0.0
    for number in range(PARTS):
        table = read_rows([folder / "parts" / str(number) / FILE])
        rows = [tuple(row.values()) for row in table.to_pylist()]
        began = time.perf_counter()
        with base:
            base.executemany(f"INSERT INTO chunks VALUES ({','.join('?' * 10)})", rows)
        seconds += time.perf_counter() - began
    return {"seconds": seconds, "ms_per_job": 1e3 * seconds / PARTS,
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


WORK: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    f.__name__: f
    for f in (plan, parts, graph, ledger_write, ledger_read, sqlite_write, sqlite_read)
}


def main() -> None:
    what, folder, number = sys.argv[1:]
    found = WORK[what](Path(folder), int(number))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(u.ru_utime + u.ru_stime for u in used)
    peak = max(u.ru_maxrss for u in used) / 1024
    print(json.dumps({**found, "cpu_s": cpu, "max_rss_mb": peak}))


if __name__ == "__main__":
    main()
