"""Work at the size of the full ATLAS Open Data, on SYNTHETIC entries: run as a process of its own.

`python -m tests.benchmarks.scale WHAT FOLDER NUMBER` prints one JSON object: seconds of the
work, processor seconds and megabytes of the whole process, and what was counted.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from executors.spent import max_rss_mb
from pipeline.combinations import MOST_OTHERS
from pipeline.configure import configure
from pipeline.data import manifest as manifests
from pipeline.data.manifest import Manifest
from pipeline.data.manifest_form import MANIFEST_SCHEMA, columns, read_manifest, write_manifest
from pipeline.data.parts import write_parts
from pipeline.files import read_json
from pipeline.freeze import freeze
from pipeline.graph import child_environment, snakemake_command
from pipeline.plan.estimate import make_plan
from pipeline.profile import write_profile
from tests.benchmarks.scale_ledger import (
    ledger_many,
    ledger_read,
    ledger_write,
    sqlite_read,
    sqlite_write,
)
from tests.benchmarks.synthetic_set import PARTS, synthetic_fileset, synthetic_manifest


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
    return {"parts": len(sizes), "largest_kb": max(sizes) / 1e3, "seconds": seconds,
            "files": read_json(index)["files"]}  # fmt: skip


def whole(folder: Path, number: int) -> dict[str, Any]:
    """The plan of everything that is listed of 2024r-pp, by the real manifest."""
    settings = configure(
        ["data=opendata_2024", "solver=reference", "site=perlmutter"], located=False
    )
    found = make_plan(settings).scopes[1]
    return {"files": found.everything.files, "convert_jobs": found.jobs,
            "jobs": found.jobs + MOST_OTHERS}  # fmt: skip


def graph(folder: Path, files: int) -> dict[str, Any]:
    """Snakemake's dry run of a run on so many files whose convert is as many jobs as can be."""
    (folder / "nothing").mkdir()
    jobs = min(files, PARTS - MOST_OTHERS)
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


WORK: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    f.__name__: f
    for f in (
        plan,
        whole,
        parts,
        graph,
        ledger_write,
        ledger_many,
        ledger_read,
        sqlite_write,
        sqlite_read,
    )
}


def main() -> None:
    what, folder, number = sys.argv[1:]
    found = WORK[what](Path(folder), int(number))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(u.ru_utime + u.ru_stime for u in used)
    peak = max(max_rss_mb(), used[1].ru_maxrss / 1024)
    print(json.dumps({**found, "cpu_s": cpu, "max_rss_mb": peak}))


if __name__ == "__main__":
    main()
