"""Small ROOT files for convert: real ones in another order, made-up ones, and filesets of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

COLLECTIONS = ("photon", "lep", "jet")


def rewrite(
    source: Path,
    target: Path,
    order: Sequence[int],
    tree: str = "analysis",
    only: Sequence[str] = (),
) -> Path:
    """A file with the events `order` of another one, in that order (numbers and lists only)."""
    with uproot.open(source) as file:
        present = [branch.name for branch in file[tree].branches]
        names = [n for n in present if n != "category" and not n.endswith("_n")]
        arrays = file[tree].arrays(list(only) or names, how=dict)
    index = np.asarray(order, dtype=np.int64)
    return write_events(target, {n: a[index] for n, a in arrays.items()}, tree)


def write_events(target: Path, arrays: Mapping[str, Any], tree: str = "analysis") -> Path:
    """A ROOT file with these branches; lists are grouped by the collection they belong to."""
    flat = {n: ak.Array(a) for n, a in arrays.items()}
    content: dict[str, ak.Array] = {n: a for n, a in flat.items() if a.ndim == 1}
    for collection in COLLECTIONS:
        own = {n: a for n, a in flat.items() if n.startswith(f"{collection}_") and a.ndim == 2}
        if own:
            content[collection] = ak.zip(
                {n.removeprefix(f"{collection}_"): a for n, a in own.items()}
            )
    target.parent.mkdir(parents=True, exist_ok=True)
    with uproot.recreate(target) as file:
        file.mktree(
            tree, {n: ak.type(a).content for n, a in content.items()},
            counter_name=lambda collection: f"{collection}_n",
        )  # fmt: skip
        file[tree].extend(content)
    return target


def fileset(
    files: Mapping[str, Sequence[Path]],
    size: int | Iterable[int] = 100,
    tree: str = "analysis",
    entries: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """A fileset of these files by sample: data if the name begins so, in chunks of `size` events.

    `size` may also be the inner edges of the chunks. `entries` gives the number of entries of files
    (by name) that cannot be opened.
    """
    samples: dict[str, Any] = {}
    chunks = []
    for sample, paths in files.items():
        listed = []
        for path in paths:
            known = (entries or {}).get(path.name)
            if known is None:
                with uproot.open(path) as file:
                    known = int(file[tree].num_entries)
            listed.append({"path": str(path), "entries": known, "uri": path.name})
            inner = range(size, known, size) if isinstance(size, int) else size
            edges = [0, *sorted(e for e in set(inner) if 0 < e < known), known]
            for start, stop in pairwise(edges):
                name = f"{path.name}:{start}:{stop}".encode().hex()
                chunks.append(
                    {"id": name, "sample": sample, "path": str(path), "start": start, "stop": stop}
                )
        kind = "data" if sample.startswith("data") else "mc"
        samples[sample] = {"kind": kind, "complete": True, "files": listed}
    return {"tree": tree, "samples": samples, "chunks": chunks}
