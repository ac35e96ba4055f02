"""The index of a skim: its parts in a table, in which a job finds those that it wants.

The manifest of a skim of a million chunks is too large for each of two thousand jobs to read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.files import replacing
from pipeline.skim.manifest import Part, SkimError
from pipeline.stages.convert.store import record_from

INDEX = "parts.index"
"""Parquet; not among the files whose rows are events, which end so."""
ROWS = 20_000
"""Of a group of rows: as many are in memory at a time."""
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("name", "key", "sha256", "record")],
    metadata={b"about": b"parts of a skim; record is JSON"},
)


def write_index(path: Path, parts: Sequence[Part], names: Sequence[str]) -> None:
    """Write the index of `parts`, which are looked for by `names` (see `reading.names_of`)."""
    columns = {
        "name": list(names),
        "key": [p.key for p in parts],
        "sha256": [p.sha256 for p in parts],
        "record": [json.dumps(asdict(p.record)) for p in parts],
    }
    with replacing(path) as temporary:
        pq.write_table(
            pa.Table.from_pydict(columns, schema=SCHEMA), temporary, compression="zstd",
            compression_level=1, row_group_size=ROWS, write_page_checksum=True,
        )  # fmt: skip


def read_index(path: Path, wanted: Mapping[str, str] | None = None) -> list[Part]:
    """The parts of an index, in its order; of those that are `wanted`, name -> key, where given.

    Raises SkimError where there is none, or a damaged one.
    """
    found = []
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(ROWS, use_threads=False):
                rows = pa.Table.from_batches([batch])
                if wanted is not None:
                    rows = rows.filter(pc.is_in(rows["name"], pa.array(wanted, pa.string())))
                found += [_part(row) for row in rows.to_pylist() if _fits(row, wanted)]
    except (pa.ArrowException, OSError, LookupError, TypeError, ValueError) as error:
        raise SkimError(
            f"expected the index of a skim in {path}, found none: {error}; remove that folder"
        ) from error
    return found


def _fits(row: Mapping[str, str], wanted: Mapping[str, str] | None) -> bool:
    return wanted is None or wanted[row["name"]] == row["key"]


def _part(row: Mapping[str, str]) -> Part:
    return Part(row["key"], row["sha256"], record_from(json.loads(row["record"])))
