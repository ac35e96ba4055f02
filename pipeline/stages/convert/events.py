"""Reading a few events, in the one set of names, to try a solution on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

from executors.patience import patiently
from executors.remote import is_remote, open_remote
from pipeline.data.schema import door


def read_events(
    path: Path | str,
    tree: str,
    release: str,
    start: int,
    stop: int,
    names: Sequence[str] = (),
    sample: Mapping[str, Any] | None = None,
) -> ak.Array:
    """Entries [start, stop) of a file as a record array of the variables `names` (all if none).

    Variables whose branch the file does not have are left out when all are asked for. `sample` is
    the fileset's entry, for what no branch says.
    """
    return patiently(lambda: _read(str(path), tree, release, start, stop, names, sample))


def _read(
    path: str,
    tree: str,
    release: str,
    start: int,
    stop: int,
    names: Sequence[str],
    sample: Mapping[str, Any] | None,
) -> ak.Array:
    way = door(release)
    with open_remote(path) if is_remote(path) else uproot.open(path) as file:
        source = file[tree]
        there = {*source.keys(), *way.optional}
        wanted = list(names) or [n for n in way.fields if there.issuperset(way.physical([n]))]
        branches = [b for b in way.physical(wanted) if b not in way.optional or b in source]
        arrays = source.arrays(branches, entry_start=start, entry_stop=stop, how=dict)
    return way.unify(arrays, wanted, sample)


def first_events(fileset: Mapping[str, Any], release: str, number: int) -> ak.Array:
    """Up to `number` events of the first file of the fileset that can be read."""
    tried = []
    for name, sample in fileset["samples"].items():
        for file in sample["files"]:
            try:
                return read_events(file["path"], fileset["tree"], release, 0, number, (), sample)
            except (OSError, ValueError, LookupError) as error:
                tried.append(f"{name}: {type(error).__name__}")
    said = "; ".join(tried[:3]) or "no files"
    raise FileNotFoundError(f"expected a readable file in the fileset, found none ({said})")
