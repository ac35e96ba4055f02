"""The chunk store: the converted rows of each finished chunk, kept so that none is made twice."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from executors.base import Chunk
from pipeline.files import replacing, sha256_file, sha256_json, write_json
from pipeline.settings import Settings, to_dict

BLINDED = "blinded"
"""Column of the store that says which rows no solver may see."""

END = b"PAR1"
"""Of a Parquet file: written last."""
PAGE = 1 << 26
"""Bytes and rows that are written at once: more than a chunk has."""

READERS = (
    "executors/reading.py", "executors/remote.py", "executors/sandbox/inside/encoding.py",
    "executors/sandbox/inside/decoding.py", "pipeline/channels", "pipeline/data/schema.py",
    "pipeline/data/rules.py", "pipeline/data/doors", "pipeline/physics/arrays.py",
    "pipeline/physics/kinematics.py", "pipeline/physics/regions.py", "pipeline/stages/convert",
    "pipeline/stages/contract.py",
)  # fmt: skip
"""Our code that decides what a chunk's file holds besides the solution."""
PACKAGES = ("awkward", "coffea", "numpy", "uproot")
"""Those of others that do: with another version nothing is taken that was made before."""
ROOT = Path(__file__).resolve().parents[3]
"""The folder of our packages."""


@dataclass(frozen=True)
class ChunkRecord:
    """What is known of a finished chunk; kept beside its rows, written after them."""

    chunk: str
    events: int
    rows: int
    blinded: int
    cutflow: tuple[tuple[str, int], ...]
    size: int
    """Bytes of the file of rows."""


@dataclass(frozen=True)
class ChunkStore:
    """Files `<key>.parquet` (rows) and `<key>.json` (record) of one solution, in one folder.

    A key names everything that the rows depend on: entries and file (through the chunk's id), tree,
    kind of the sample, solution, channel, release, our own code and the PACKAGES. Both files come
    into being by renaming, the record last: what has a record is finished.
    """

    folder: Path
    salt: str
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Of each sample the numbers that its rows hold and no branch has."""

    @classmethod
    def of(
        cls,
        root: Path,
        solution_sha256: str,
        settings: Settings,
        facts: Mapping[str, Mapping[str, Any]] | None = None,
        part: int | None = None,
    ) -> ChunkStore:
        """The part of the store below `root` for one solution, these settings and, where rows hold
        facts of the samples that no branch has, these facts: those of other samples do not matter.

        Where convert is cut into jobs each has a folder of its own: no folder grows too large.
        """
        channel = to_dict(settings)["channel"]
        salt = sha256_json(
            {
                "solution": solution_sha256,
                "release": settings.data.release,
                "channel": {k: channel[k] for k in ("name", "selection", "blind")},
                "code": code_sha256(),
                "packages": {name: version(name) for name in PACKAGES},
            }
        )
        folder = root.resolve() / solution_sha256[:16]
        return cls(folder if part is None else folder / str(part), salt, dict(facts or {}))

    def key(self, chunk: Chunk, kind: str) -> str:
        """Thirty-two hex digits that name a chunk's rows; `kind` is data or mc."""
        words = [self.salt, kind, chunk.id, chunk.tree, str(chunk.start), str(chunk.stop)]
        if own := self.facts.get(chunk.sample):
            words.append(sha256_json(own))
        text = "\0".join(words)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def rows_path(self, key: str) -> Path:
        return self.folder / f"{key}.parquet"

    def finished(self, key: str) -> ChunkRecord | None:
        """The record of a chunk, if it is finished and its rows are all there.

        None for one that is no record, or whose rows are no table, as a crash of the machine may
        leave them: it is made again.
        """
        try:
            content = (self.folder / f"{key}.json").read_bytes()
            with self.rows_path(key).open("rb") as rows:
                size = rows.seek(0, os.SEEK_END)
                rows.seek(max(0, size - len(END)))
                ends = rows.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            record = record_from(json.loads(content))
        except (ValueError, LookupError, TypeError):
            return None
        return record if record.size == size and ends == END else None

    def save(
        self,
        key: str,
        chunk: Chunk,
        columns: Mapping[str, np.ndarray],
        blinded: np.ndarray,
        cutflow: tuple[tuple[str, int], ...],
    ) -> ChunkRecord:
        """Keep the rows and the record of a chunk."""
        columns = {**columns, BLINDED: blinded}
        fields = [pa.field(n, pa.from_numpy_dtype(v.dtype), False) for n, v in columns.items()]
        table = pa.Table.from_arrays(
            [pa.array(v, from_pandas=False) for v in columns.values()], schema=pa.schema(fields)
        )
        content = pa.BufferOutputStream()
        # Read once and soon: fast to write matters more than small.
        pq.write_table(
            table, content, compression="lz4", use_dictionary=False, write_statistics=False,
            write_batch_size=PAGE, data_page_size=PAGE,
        )  # fmt: skip
        content = content.getvalue()
        with replacing(self.rows_path(key)) as temporary:
            temporary.write_bytes(content)
        hidden = int(blinded.sum())
        record = ChunkRecord(chunk.id, len(chunk), table.num_rows, hidden, cutflow, len(content))
        write_json(self.folder / f"{key}.json", asdict(record))
        return record

    def load(self, key: str) -> pa.Table:
        """The rows of a finished chunk, with the column BLINDED."""
        return pq.read_table(self.rows_path(key), use_threads=False)


def record_from(content: Mapping[str, Any]) -> ChunkRecord:
    """A record from its JSON form."""
    cutflow = tuple((str(name), int(count)) for name, count in content["cutflow"])
    return ChunkRecord(**{**content, "cutflow": cutflow})


@lru_cache
def code_sha256() -> str:
    """Hash over the source files that READERS names."""
    digest = hashlib.sha256()
    for file in sources():
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0")
        digest.update(sha256_file(file).encode())
    return digest.hexdigest()


def sources() -> list[Path]:
    """The source files that READERS names."""
    found: list[Path] = []
    for reader in READERS:
        path = ROOT / reader
        found += [path] if path.is_file() else sorted(path.rglob("*"))
    return [f for f in found if f.suffix in (".py", ".json") and "reference" not in f.name]
