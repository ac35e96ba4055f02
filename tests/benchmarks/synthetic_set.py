"""Entries of the size of the full ATLAS Open Data, all SYNTHETIC, and what a solution that costs
nothing makes of them."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa

from executors.base import Chunk
from pipeline.data.manifest import Manifest, ManifestFile, Published, Sample, Skim
from pipeline.stages.convert.ledger import ChunkOutcome
from pipeline.stages.convert.ledger_table import rows_of
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
