"""Cuts files into chunks: entry ranges that are read, computed and counted one by one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.data.identity import basename
from pipeline.data.manifest import ManifestFile
from pipeline.files import sha256_json


@dataclass(frozen=True)
class Chunk:
    """Entries [start, stop) of one file."""

    id: str
    """Sixteen hex digits of what the entries are, wherever the file lies."""
    sample: str
    path: str
    start: int
    stop: int

    def plain(self) -> dict[str, Any]:
        """The chunk as JSON types."""
        return asdict(self)


def edges(entries: int, chunk_size: int) -> list[tuple[int, int]]:
    """Contiguous ranges [start, stop) that cover `entries`, as even as can be, none too large.

    No entries give no range.
    """
    number = -(-entries // chunk_size)
    bounds = [entries * i // number for i in range(number + 1)] if number else []
    return list(pairwise(bounds))


def cut(
    sample: str, file: ManifestFile, path: Path | str, size: int, entries: int, chunk_size: int
) -> list[Chunk]:
    """The chunks of one file of `size` bytes; their ids do not depend on where it lies."""
    return [
        Chunk(_identity(sample, file, size, entries, start, stop), sample, str(path), start, stop)
        for start, stop in edges(entries, chunk_size)
    ]


def _identity(
    sample: str, file: ManifestFile, size: int, entries: int, start: int, stop: int
) -> str:
    facts = {
        "sample": sample,
        "name": basename(file.uri),
        "adler32": file.adler32,
        "size": size,
        "entries": entries,
        "range": [start, stop],
    }
    return sha256_json(facts)[:16]
