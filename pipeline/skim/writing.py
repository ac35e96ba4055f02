"""Writing a skim: the finished chunks of a conversion, under a name made from what they are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.files import folder_beside, sha256_file, take_away, write_json
from pipeline.settings import Settings
from pipeline.skim.index import INDEX, write_index
from pipeline.skim.manifest import MANIFEST, Part, Skim, choices
from pipeline.skim.reading import key_of, link_or_copy, names_of
from pipeline.stages.convert.product import ConvertProduct
from pipeline.stages.convert.store import ChunkRecord, code_sha256

FOLDER = "skims"
"""Below the folder of outputs: one folder per skim, shared by all runs there."""


@dataclass(frozen=True)
class Finished:
    """A chunk that was converted: its key and record, and the file of its rows."""

    key: str
    record: ChunkRecord
    rows: Path
    sha256: str | None = None
    """Of the file, where somebody knows it already."""


def keep_skim(product: ConvertProduct, settings: Settings, skims: Path) -> Path | None:
    """Keep a conversion as the skim `skims/<key>`; its folder, or None where it cannot be one.

    A conversion with a chunk in quarantine is no skim: whoever read it would lose events for good.
    """
    finished = [
        Finished(o.key, o.record, product.store.rows_path(o.key))
        for o in product.outcomes
        if o.record is not None
    ]
    if not finished or len(finished) != len(product.outcomes):
        return None
    return keep_chunks(product.fileset, product.solution_sha256, finished, settings, skims)


def keep_chunks(
    fileset: Mapping[str, Any],
    solution_sha256: str,
    finished: Sequence[Finished],
    settings: Settings,
    skims: Path,
) -> Path:
    """Keep all chunks of `fileset`, in its order, as the skim `skims/<key>`; its folder.

    The parts are further names of the files in the chunk store (copies on another disk), and the
    folder comes into being by one rename: of two runs that make the same skim at the same time,
    the second finds the first. What is left there of a skim that somebody removed in part makes
    room for it.
    """
    key = key_of(fileset, [chunk.key for chunk in finished])
    kept = skims / key
    if (kept / MANIFEST).exists():
        return kept
    with folder_beside(kept) as new:
        parts = []
        for chunk in finished:
            rows = new / f"{chunk.key}.parquet"
            link_or_copy(chunk.rows, rows)
            parts.append(Part(chunk.key, chunk.sha256 or sha256_file(rows), chunk.record))
        schema = pq.read_schema(new / f"{parts[0].key}.parquet")
        skim = Skim(
            key=key,
            made_from=choices(settings),
            solution_sha256=solution_sha256,
            code_sha256=code_sha256(),
            columns=tuple((f.name, str(f.type)) for f in schema),
            fileset=_anywhere(fileset),
            parts=tuple(parts),
        )
        write_index(new / INDEX, parts, names_of(fileset, [part.key for part in parts]))
        write_json(new / MANIFEST, skim.to_json())
        _remove_remains(kept)
        try:
            os.rename(new, kept)
        except OSError:
            if not (kept / MANIFEST).exists():  # nobody was faster: the disk has a fault
                raise
    return kept


def _remove_remains(kept: Path) -> None:
    """Take away a folder without a manifest: it is no skim, and the rename would fail on it."""
    if kept.exists() and not (kept / MANIFEST).exists():
        take_away(kept)


def _anywhere(fileset: Mapping[str, Any]) -> dict[str, Any]:
    """The fileset as it is without the places of its files: their names alone are left."""
    samples = {
        name: {**sample, "files": [_named(file) for file in sample["files"]]}
        for name, sample in fileset["samples"].items()
    }
    chunks = [_named(chunk) for chunk in fileset["chunks"]]
    known = {k: v for k, v in fileset.items() if k != "counted"}  # by now everything is
    return {**known, "location": None, "samples": samples, "chunks": chunks}


def _named(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "path": Path(entry["path"]).name}
