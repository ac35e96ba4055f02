"""The ledger as a table: one row per chunk, in a Parquet file per job, read and added up as one.

Each job writes its own file under a temporary name and renames it: nobody shares a file, so nothing
has to be locked (docs/decisions/0011-ledger.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from executors.base import Chunk
from pipeline.files import replacing
from pipeline.stages.convert.ledger import (
    LEDGER_SCHEMA,
    NEXT,
    ChunkOutcome,
    LedgerError,
    check_events,
    check_tiling,
)

FILE = "ledger.parquet"
LISTED = 20_000
"""Most chunks that ledger.json lists itself; of more it has the sums, and the table the rest."""
_TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("sample", _TEXT),
        ("number", pa.int32()),  # of the file, among those of its sample in the fileset
        ("file", _TEXT),
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("rows", pa.int64()),
        ("sha256", pa.string()),  # null: in quarantine
        ("kind", _TEXT),
        ("message", pa.string()),
    ]
)


def rows_of(
    outcomes: Sequence[ChunkOutcome],
    hashes: Mapping[str, str],
    numbers: Mapping[tuple[str, str], int],
) -> pa.Table:
    """The outcomes of chunks as rows; `numbers` maps (sample, path) to the number of the file."""
    for outcome in outcomes:
        check_events(outcome)
    chunks = [o.chunk for o in outcomes]
    faults = [o.fault for o in outcomes]
    columns: dict[str, list[Any]] = {
        "id": [c.id for c in chunks],
        "sample": [c.sample for c in chunks],
        "number": [numbers[c.sample, c.path] for c in chunks],
        "file": [Path(c.path).name for c in chunks],
        "start": [c.start for c in chunks],
        "stop": [c.stop for c in chunks],
        "rows": [0 if o.record is None else o.record.rows for o in outcomes],
        "sha256": [None if o.record is None else hashes[o.key] for o in outcomes],
        "kind": [None if f is None else f.kind for f in faults],
        "message": [None if f is None else f.message for f in faults],
    }
    return pa.Table.from_pydict(columns, schema=SCHEMA)


def write_rows(path: Path, table: pa.Table) -> None:
    """Write rows of the ledger, atomically."""
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=1)


def read_rows(paths: Sequence[Path]) -> pa.Table:
    """The rows of several files, one file after the other."""
    tables = [pq.read_table(path, use_threads=False) for path in paths]
    return pa.concat_tables(tables or [SCHEMA.empty_table()]).unify_dictionaries()


def ledger_of(fileset: Mapping[str, Any], table: pa.Table, solution_sha256: str) -> dict[str, Any]:
    """The content of ledger.json for the rows of all chunks, in the order of the fileset.

    Raises LedgerError unless the chunks of every file lie end to end from 0 to its number of
    entries.
    """
    check_table(fileset, table)
    finished = pc.is_valid(table["sha256"])
    length = pc.subtract(table["stop"], table["start"])
    sums = pa.table(
        {
            "sample": table["sample"].cast(pa.string()),
            "done": finished.cast(pa.int64()),
            "events": pc.if_else(finished, length, 0),
        }
    )
    grouped = sums.group_by("sample").aggregate(
        [("done", "count"), ("done", "sum"), ("events", "sum")]
    )
    of = {row["sample"]: row for row in grouped.to_pylist()}
    samples = {}
    for name, sample in fileset["samples"].items():
        own = of.get(name, {"done_count": 0, "done_sum": 0, "events_sum": 0})
        expected = sum(file["entries"] or 0 for file in sample["files"])
        lost = own["done_count"] - own["done_sum"]
        samples[name] = {
            "entries_expected": expected,
            "entries_done": own["events_sum"],
            "chunks": own["done_count"],
            "quarantined": lost,
            "complete": bool(sample["complete"]) and not lost and own["events_sum"] == expected,
        }
        if sample.get("reason") and not fileset.get("counted", True):
            samples[name]["reason"] = sample["reason"]  # found by the jobs, not in the fileset
    content = {"schema": LEDGER_SCHEMA, "solution_sha256": solution_sha256, "samples": samples}
    if len(table) > LISTED:
        return {**content, "table": FILE}
    return {**content, "chunks": entries_of(table)}


def entries_of(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as ledger.json lists them."""
    return [
        {
            **{k: row[k] for k in ("id", "sample", "file", "start", "stop", "rows", "sha256")},
            "status": "quarantined" if row["sha256"] is None else "ok",
            "reason": None
            if row["kind"] is None
            else {"kind": row["kind"], "message": row["message"]},
        }
        for row in table.to_pylist()
    ]


def listed(content: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
    """The chunks of a ledger.json in `folder`: its own list, or that of the table beside it."""
    if "table" in content:
        return entries_of(read_rows([folder / FILE]))
    chunks: list[dict[str, Any]] = content["chunks"]
    return chunks


def rows_by_sample(content: Mapping[str, Any], folder: Path) -> dict[str, int]:
    """Sample -> rows that its chunks gave, of a ledger.json in `folder`."""
    if "table" in content:
        table = pq.read_table(folder / FILE, columns=["sample", "rows"], use_threads=False)
    else:
        columns = {k: [c[k] for c in content["chunks"]] for k in ("sample", "rows")}
        table = pa.table(columns, schema=pa.schema([("sample", pa.string()), ("rows", pa.int64())]))
    sums = table.group_by("sample").aggregate([("rows", "sum")])
    return {str(row["sample"]): int(row["rows_sum"]) for row in sums.to_pylist()}


def check_table(fileset: Mapping[str, Any], table: pa.Table) -> None:
    """`check_tiling` for very many chunks."""
    first: dict[str, int] = {}
    entries: list[int] = []
    files = {name: len(sample["files"]) for name, sample in fileset["samples"].items()}
    for name, sample in fileset["samples"].items():
        first[name] = len(entries)
        entries += [file["entries"] or 0 for file in sample["files"]]
    wanted = np.asarray(entries, dtype=np.int64)
    names = table["sample"].combine_chunks()
    if isinstance(names, pa.ChunkedArray):  # no rows at all
        names = pa.array([], type=_TEXT)
    stray = [n for n in names.dictionary.to_pylist() if n not in first]
    if stray:
        raise LedgerError(
            f"found chunks of sample {stray[0]}, which the fileset does not have; {NEXT}"
        )
    most = np.asarray([files[n] for n in names.dictionary.to_pylist()], dtype=np.int64)
    base = np.asarray([first[n] for n in names.dictionary.to_pylist()], dtype=np.int64)
    codes = names.indices.to_numpy(zero_copy_only=False)
    start, stop, number = (table[c].to_numpy() for c in ("start", "stop", "number"))
    if len(codes) and (number >= most[codes]).any():
        name = names.dictionary[codes[np.argmax(number >= most[codes])]].as_py()
        raise LedgerError(f"found chunks of a file that sample {name} does not have; {NEXT}")
    file = (base[codes] if len(codes) else codes.astype(np.int64)) + number
    order = np.lexsort((stop, start, file))
    file, start, stop = file[order], start[order], stop[order]
    opens = np.r_[True, file[1:] != file[:-1]] if len(file) else np.empty(0, dtype=bool)
    before = np.where(opens, 0, np.r_[0, stop[:-1]] if len(stop) else stop)
    wrong = {*file[(start != before) | (stop < start)].tolist()}
    reached = np.zeros(len(wanted), dtype=np.int64)
    np.maximum.at(reached, file, stop)
    wrong |= {*np.flatnonzero(reached != wanted).tolist()}
    if wrong:
        _say_what_is_wrong(fileset, table, min(wrong), first)


def _say_what_is_wrong(
    fileset: Mapping[str, Any], table: pa.Table, file: int, first: Mapping[str, int]
) -> None:
    """Raise the LedgerError of one file that does not add up."""
    name = [n for n in first if first[n] <= file][-1]  # before it may be samples without files
    number = file - first[name]
    mask = pc.and_(
        pc.equal(table["sample"].cast(pa.string()), name), pc.equal(table["number"], number)
    )
    told = fileset["samples"][name]["files"][number]
    path = told["path"]
    own = [
        Chunk(row["id"], name, path, "", row["start"], row["stop"])
        for row in table.filter(mask).to_pylist()
    ]
    check_tiling({"samples": {name: {"files": [told]}}}, own)
