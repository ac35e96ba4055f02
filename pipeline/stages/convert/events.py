"""Reading a few events, in the one set of names, to try a solution on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

from executors.base import is_remote
from executors.diagnosis import is_passing
from executors.patience import patiently
from executors.remote import open_remote
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


def readable_events(
    path: Path | str,
    tree: str,
    release: str,
    start: int,
    stop: int,
    names: Sequence[str] = (),
    sample: Mapping[str, Any] | None = None,
) -> ak.Array | None:
    """As `read_events`, and None if the file is damaged: execute says so, by quarantine.

    Raises ConnectionError if disk or network fail for longer than one is patient.
    """
    try:
        return read_events(path, tree, release, start, stop, names, sample)
    except Exception as error:  # damaged bytes make a reader raise anything
        if is_passing(error):
            raise ConnectionError(
                f"expected entries {start} to {stop} of {path}, found a system that fails "
                f"({error}); give the same command again when disk and network are well"
            ) from error
        return None


def first_events(fileset: Mapping[str, Any], release: str, number: int) -> ak.Array:
    """Up to `number` events of the first file of the fileset that can be read."""
    damaged = []
    for name, sample in fileset["samples"].items():
        for file in sample["files"]:
            found = readable_events(file["path"], fileset["tree"], release, 0, number, (), sample)
            if found is not None:
                return found
            damaged.append(f"{name}: {Path(file['path']).name}")
    said = "; ".join(damaged[:3]) or "no files"
    raise FileNotFoundError(f"expected a readable file in the fileset, found none ({said})")
