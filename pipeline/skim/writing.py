"""Writing a skim: the finished chunks of a conversion, under a name made from what they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.files import sha256_file, write_json
from pipeline.settings import Settings
from pipeline.skim.manifest import MANIFEST, Part, Skim, choices
from pipeline.skim.reading import key_of, link_or_copy
from pipeline.stages.convert.product import ConvertProduct
from pipeline.stages.convert.store import code_sha256

FOLDER = "skims"
"""Below the folder of outputs: one folder per skim, shared by all runs there."""


def keep_skim(product: ConvertProduct, settings: Settings, skims: Path) -> Path | None:
    """Keep a conversion as the skim `skims/<key>`; its folder, or None where it cannot be one.

    A conversion with a chunk in quarantine is no skim: whoever read it would lose events for good.
    The parts are further names of the files in the chunk store (copies on another disk), and the
    folder comes into being by one rename: of two runs that make the same skim at the same time,
    the second finds the first.
    """
    records = {o.key: o.record for o in product.outcomes if o.record is not None}
    if not records or len(records) != len(product.outcomes):
        return None
    key = key_of(product.fileset, list(records))
    kept = skims / key
    if (kept / MANIFEST).exists():
        return kept
    new = skims / f".{key}.{os.getpid()}"
    new.mkdir(parents=True, exist_ok=True)
    try:
        parts = []
        for name, record in records.items():
            rows = new / f"{name}.parquet"
            link_or_copy(product.store.rows_path(name), rows)
            parts.append(Part(name, sha256_file(rows), record))
        schema = pq.read_schema(new / f"{parts[0].key}.parquet")
        skim = Skim(
            key=key,
            made_from=choices(settings),
            solution_sha256=product.solution_sha256,
            code_sha256=code_sha256(),
            columns=tuple((f.name, str(f.type)) for f in schema),
            fileset=_anywhere(product.fileset),
            parts=tuple(parts),
        )
        write_json(new / MANIFEST, skim.to_json())
        os.rename(new, kept)
    except OSError:
        if not (kept / MANIFEST).exists():  # nobody was faster: the disk has a fault
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return kept


def _anywhere(fileset: Mapping[str, Any]) -> dict[str, Any]:
    """The fileset as it is without the places of its files: their names alone are left."""
    samples = {
        name: {**sample, "files": [_named(file) for file in sample["files"]]}
        for name, sample in fileset["samples"].items()
    }
    chunks = [_named(chunk) for chunk in fileset["chunks"]]
    return {**fileset, "location": None, "samples": samples, "chunks": chunks}


def _named(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "path": Path(entry["path"]).name}
