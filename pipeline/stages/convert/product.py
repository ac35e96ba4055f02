"""From finished chunks to one table per sample; blinded rows apart from what a solver may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.files import sha256_file, write_json, write_table
from pipeline.stages.contract import ContractError
from pipeline.stages.convert.columns import IDENTITY, columns, empty_columns
from pipeline.stages.convert.ledger import ChunkOutcome, ledger
from pipeline.stages.convert.store import BLINDED, ChunkStore


@dataclass(frozen=True)
class Timed:
    """What converting cost: of the chunks that were converted now, all workers together."""

    chunks: int = 0
    events: int = 0
    files: int = 0
    """Times that a file was opened."""
    processes: int = 0
    """That were started, and loaded everything."""
    cpu_s: float = 0.0
    """Processor seconds of workers and sandboxes."""
    max_rss_mb: float = 0.0
    """Of the largest worker."""

    def __add__(self, other: Timed) -> Timed:
        """Both together."""
        sums = {
            f.name: getattr(self, f.name) + getattr(other, f.name)
            for f in fields(self)
            if f.name != "max_rss_mb"
        }
        return Timed(**sums, max_rss_mb=max(self.max_rss_mb, other.max_rss_mb))


@dataclass(frozen=True)
class ConvertProduct:
    """A finished conversion: the outcome of every chunk, in the order of the fileset."""

    solution_sha256: str
    channel: str
    unblind: bool
    fileset: Mapping[str, Any]
    outcomes: tuple[ChunkOutcome, ...]
    store: ChunkStore
    timed: Timed = Timed()

    def of_sample(self, name: str) -> list[ChunkOutcome]:
        """The finished chunks of a sample."""
        return [o for o in self.outcomes if o.chunk.sample == name and o.record is not None]


def write_product(product: ConvertProduct, output: Path, sealed: Path) -> None:
    """Write <sample>.parquet, cutflow.json and ledger.json to `output`, all rows to `sealed`.

    `output` is without the blinded rows of data, unless the run is unblinded; `sealed` has the same
    files of data samples with all rows. Raises LedgerError if entries are missing or counted twice.
    """
    output.mkdir(parents=True, exist_ok=True)
    sealed.mkdir(parents=True, exist_ok=True)
    hashes: dict[str, str] = {}
    cutflow = {}
    for name, sample in product.fileset["samples"].items():
        chunks = product.of_sample(name)
        for chunk in chunks:
            hashes[chunk.key] = sha256_file(product.store.rows_path(chunk.key))
        parts = [product.store.load(chunk.key) for chunk in chunks]
        table = merged_rows(parts, product.channel)
        write_sample(name, sample["kind"], table, product.unblind, output, sealed)
        cutflow[name] = merged_cutflow([o.record.cutflow for o in chunks if o.record is not None])
    write_json(output / "cutflow.json", cutflow)
    write_json(
        output / "ledger.json",
        ledger(product.fileset, product.outcomes, product.solution_sha256, hashes),
    )


def write_sample(
    name: str, kind: str, table: pd.DataFrame, unblind: bool, output: Path, sealed: Path
) -> None:
    """Write the rows of a sample: those that a solver may see, and of data all of them."""
    table = sorted_rows(table)
    hidden = table.pop(BLINDED).to_numpy()
    seen = table if unblind or not hidden.any() else table[~hidden]
    write_table(output / f"{name}.parquet", seen)
    if kind == "data":
        write_table(sealed / f"{name}.parquet", table)


def merged_rows(parts: Sequence[pa.Table], channel: str) -> pd.DataFrame:
    """All rows of a sample, in the order of its parts; the right columns if there are none."""
    if not parts:
        return pd.DataFrame({**empty_columns(channel), BLINDED: np.empty(0, dtype=bool)})
    names = [*(c.name for c in columns(channel)), BLINDED]
    table: pd.DataFrame = pa.concat_tables(parts).select(names).to_pandas(use_threads=False)
    return table


def sorted_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The rows by run number, event number, then every other column: one order for one set of rows.

    However the events were cut into chunks and in whichever order they lie in the files.
    """
    run, event = (table[name].to_numpy() for name in IDENTITY)
    order = np.lexsort((event, run))
    run, event = run[order], event[order]
    same = np.flatnonzero((run[1:] == run[:-1]) & (event[1:] == event[:-1]))
    if len(same):  # rare: identities that occur more than once
        places = np.union1d(same, same + 1)
        rows = table.iloc[order[places]]
        others = [rows[c].to_numpy() for c in table.columns if c not in IDENTITY]
        again = np.lexsort((*reversed(others), event[places], run[places]))
        order[places] = order[places][again]
    if np.array_equal(order, np.arange(len(order))):
        return table
    return table.iloc[order].reset_index(drop=True)


def merged_cutflow(parts: Sequence[tuple[tuple[str, int], ...]]) -> list[list[str | int]]:
    """The cut flow of a sample: the counts of its chunks added up, step by step.

    Raises ContractError if the chunks do not have the same steps.
    """
    if not parts:
        return [["all", 0]]
    names = [name for name, _ in parts[0]]
    for part in parts:
        if [name for name, _ in part] != names:
            raise ContractError(
                f"expected the steps {names!r} in every chunk's cut flow, found "
                f"{[name for name, _ in part]!r}; a solution must name the same steps every time"
            )
    return [[name, sum(part[i][1] for part in parts)] for i, name in enumerate(names)]
