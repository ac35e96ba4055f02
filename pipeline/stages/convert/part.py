"""One job's share of a conversion, kept until all are there, and then gathered into one product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.data.parts import with_counts
from pipeline.files import read_json, replacing, sha256_file, write_json
from pipeline.settings import Settings
from pipeline.stages.convert import ledger_table
from pipeline.stages.convert.product import (
    ConvertProduct,
    merged_cutflow,
    merged_rows,
    write_sample,
)

COUNTS = "counts.json"
CUTFLOW = "cutflow.json"


def write_part(product: ConvertProduct, folder: Path) -> None:
    """Write what one job made: rows by sample, cut flows, its rows of the ledger, its files.

    The product's fileset is a part (pipeline.data.parts) with all entries counted.
    """
    numbers: dict[tuple[str, str], int] = {}
    counts: list[dict[str, Any]] = []
    hashes: dict[str, str] = {}
    cutflow = {}
    for name, sample in product.fileset["samples"].items():
        for file in sample["files"]:
            numbers[name, file["path"]] = file["number"]
            told = {k: file[k] for k in ("number", "entries", "verified", "problem")}
            counts.append({"sample": name, **told})
        chunks = product.of_sample(name)
        if not chunks:
            continue
        for chunk in chunks:
            hashes[chunk.key] = sha256_file(product.store.rows_path(chunk.key))
        rows = pa.concat_tables([product.store.load(chunk.key) for chunk in chunks])
        with replacing(folder / "rows" / f"{name}.parquet") as temporary:
            pq.write_table(rows, temporary, compression="zstd", compression_level=1)
        cutflow[name] = merged_cutflow([o.record.cutflow for o in chunks if o.record is not None])
    write_json(folder / CUTFLOW, cutflow)
    write_json(folder / COUNTS, counts)
    rows = ledger_table.rows_of(product.outcomes, hashes, numbers)
    ledger_table.write_rows(folder / ledger_table.FILE, rows)


def gather(
    folders: Sequence[Path],
    fileset: Mapping[str, Any],
    settings: Settings,
    solution_sha256: str,
    output: Path,
    sealed: Path,
) -> None:
    """Write what `write_product` writes, from the parts that jobs made of the whole fileset.

    Raises LedgerError if entries are missing or counted twice.
    """
    output.mkdir(parents=True, exist_ok=True)
    sealed.mkdir(parents=True, exist_ok=True)
    fileset = counted(folders, fileset, settings)
    flows: dict[str, list[tuple[tuple[str, int], ...]]] = {}
    holders: dict[str, list[Path]] = {}
    for folder in folders:
        for name, steps in read_json(folder / CUTFLOW).items():
            flows.setdefault(name, []).append(tuple((str(s), int(n)) for s, n in steps))
            holders.setdefault(name, []).append(folder / "rows" / f"{name}.parquet")
    cutflow = {}
    for name, sample in fileset["samples"].items():
        rows = [pq.read_table(path, use_threads=False) for path in holders.get(name, [])]
        table = merged_rows(rows, settings.channel.name)
        del rows
        write_sample(name, sample["kind"], table, settings.unblind, output, sealed)
        cutflow[name] = merged_cutflow(flows.get(name, []))
    write_json(output / CUTFLOW, cutflow)
    table = ledger_table.read_rows([folder / ledger_table.FILE for folder in folders])
    content = ledger_table.ledger_of(fileset, table, solution_sha256)
    if "table" in content:
        ledger_table.write_rows(output / ledger_table.FILE, table)
    if not fileset.get("counted", True):
        write_json(output / COUNTS, counts_of(folders))
    write_json(output / "ledger.json", content)


def counted(
    folders: Sequence[Path], fileset: Mapping[str, Any], settings: Settings
) -> Mapping[str, Any]:
    """The fileset with what the jobs counted, where it was left to them."""
    if fileset.get("counted", True):
        return fileset
    return with_counts(fileset, counts_of(folders), settings.data.chunk_size)


def counts_of(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """What the jobs found of each file, in the order of the fileset."""
    return [count for folder in folders for count in read_json(folder / COUNTS)]
