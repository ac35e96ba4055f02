"""All 81,064 files at once: CPU time and memory of loading every manifest, runs resolved.

The files of the runs are synthetic: 55,620 invented entries in 317 indexes of the real form, beside
the real manifests of everything else (78,393 files that are listed one by one, then).
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.manifest import known_manifests, manifest_folder
from pipeline.data.manifest_form import write_manifest

RUN_FILES = 55_620
CPU_S, MEMORY_MB = 2.0, 300.0

LOAD = """
import json, os, pathlib, sys, time
import pipeline.data.manifest as m
from executors.spent import max_rss_mb
m.manifest_folder = lambda: pathlib.Path(sys.argv[1])
begin = time.process_time()
files = sum(len(s.files) for r in m.known_manifests() for s in m.load_manifest(r).skims.values())
took = time.process_time() - begin
peak = max_rss_mb()
print(json.dumps({"files": files, "cpu_s": took, "peak_mb": peak}))
"""


def synthetic_index(run: int, number: int, folder: str) -> bytes:
    entries = [
        {
            "checksum": f"adler32:{(run * 1000 + i) % 2**32:08x}",
            "filename": f"{folder.rsplit('/', 2)[1]}:DAOD_PHYSLITE.{run}._{i:06d}.pool.root.1",
            "size": 700_000_000 + i,
            "uri": f"{folder}DAOD_PHYSLITE.{run}._{i:06d}.pool.root.1",
        }
        for i in range(number)
    ]
    return (json.dumps(entries, indent=2) + "\n").encode()


@pytest.fixture
def resolved(tmp_path: Path) -> Path:
    """The manifests, that of 2024r-pp with the facts of synthetic indexes, which are beside it."""
    kept = tmp_path / "cache/ladon/indexes/2024r-pp"
    kept.mkdir(parents=True)
    for release in known_manifests():
        name = f"{release}.json.gz"
        (tmp_path / name).write_bytes((manifest_folder() / name).read_bytes())
    path = tmp_path / "2024r-pp.json.gz"
    content: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    samples = content["skims"]["physlite"]["samples"]
    runs = [s for s in samples.values() if s["indexes"]]
    for run, sample in enumerate(runs):
        (index,) = sample["indexes"]
        folder, name = index["uri"].split("file-indexes/")
        number = RUN_FILES // len(runs) + (run < RUN_FILES % len(runs))
        text = synthetic_index(run, number, folder)
        index.update(size=len(text), adler32=f"{zlib.adler32(text):08x}")
        (kept / name).write_bytes(text)
    write_manifest(path, content)
    return tmp_path


@pytest.mark.benchmark
def test_all_files_load_quickly_and_in_little_memory(
    resolved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(resolved / "cache"))
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(resolved)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    print(f"{found['files']:,} files: {found['cpu_s']:.2f} s of CPU, {found['peak_mb']:.0f} MB")
    assert found["files"] == 22_773 + RUN_FILES
    assert found["cpu_s"] < CPU_S
    assert found["peak_mb"] < MEMORY_MB
