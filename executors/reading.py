"""Reading: the events of one chunk as coffea's virtual arrays, from a file that stays open."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import awkward as ak
import numpy as np
import uproot
from coffea.nanoevents import BaseSchema, NanoEventsFactory
from coffea.nanoevents.mapping import UprootSourceMapping

from executors.base import Chunk
from executors.remote import is_remote, open_remote

if importlib.util.find_spec("isal") is not None:
    # The bits of the standard library's zlib in two thirds of the time, where it is installed.
    # `uproot.ZLIB.library` is documented for this, but reading does not look at it (uproot 5.7).
    uproot.compression._decompress_ZLIB.library = "isal"

_Key = tuple[str, int, int]
"""A path with time of change and size; both 0 for an address on the network."""
_OPEN: dict[_Key, Any] = {}
"""The one file that this process read last: its next chunk needs no second look at the tree."""


class EventCountError(ValueError):
    """A chunk has other events or branches than it should."""


class BulkBuffers(Mapping[str, "np.ndarray[Any, Any]"]):
    """Branches read in bulk, as the buffers that coffea's virtual arrays ask for.

    Given as `buffer_cache`, it takes the place of `preload`, which copies every buffer once more.
    A key names a branch and the way to a buffer of its layout.
    """

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._layouts = {name: array.layout for name, array in arrays.items()}

    def __getitem__(self, key: str) -> np.ndarray[Any, Any]:
        name, _, *way = UprootSourceMapping.interpret_key(key)[-1]
        node = self._layouts[name]
        for step in way:
            node = node.to_ListOffsetArray64(True)
            if step == "!offsets":
                return np.asarray(node.offsets)
            node = node.content[: node.offsets[-1]]
        return np.asarray(node.data)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)

    def __len__(self) -> int:
        return len(self._layouts)


def read(chunk: Chunk, branches: Sequence[str]) -> Any:
    """The events of a chunk, with exactly `branches`, which are read in bulk.

    A name that ends in `?` is read where the tree has it: what only some files of a release hold.
    coffea's BaseSchema over virtual arrays: one field per branch, as the file spells it. Raises
    EventCountError if entries or branches are missing, and whatever uproot raises for a bad file.
    """
    directory = _directory(chunk.path)
    tree = directory[chunk.tree]
    names = [b.removesuffix("?") for b in branches if not b.endswith("?") or b[:-1] in tree]
    arrays = tree.arrays(
        filter_name=names,
        entry_start=chunk.start,
        entry_stop=chunk.stop,
        how=dict,
    )
    beside = _beside(names, arrays)
    factory = NanoEventsFactory.from_root(
        directory,
        treepath=chunk.tree,
        schemaclass=BaseSchema,
        mode="virtual",
        entry_start=chunk.start,
        entry_stop=chunk.stop,
        buffer_cache=BulkBuffers(arrays),
        iteritems_options={"filter_name": list(arrays)},
    )
    events = factory.events()
    for name, array in beside.items():
        events = ak.with_field(events, array, name)
    if len(events) != len(chunk) or set(events.fields) != set(names):
        raise EventCountError(
            f"expected {len(chunk)} events of {len(names)} branches, found {len(events)} of "
            f"{len(events.fields)}"
        )
    return events


def _beside(names: Sequence[str], arrays: dict[str, Any]) -> dict[str, Any]:
    """Taken out of `arrays`: what coffea's flat schema has no place for.

    Parts of a branch, named by their path, and element links, which are records.
    """
    keys = {name: name.rpartition("/")[2] for name in names}
    return {
        name: arrays.pop(key)
        for name, key in keys.items()
        if key in arrays and (key != name or ak.fields(arrays[key]))
    }


def close() -> None:
    """Close the file that was read last, if there is one."""
    for directory in _OPEN.values():
        directory.close()
    _OPEN.clear()


def _directory(path: str) -> Any:
    """The open file at `path`, a path or an address; opened again if it was changed."""
    key = (path, 0, 0)
    if not is_remote(path):
        status = os.stat(path)
        key = (path, status.st_mtime_ns, status.st_size)
    if key not in _OPEN:
        close()
        _OPEN[key] = open_remote(path) if is_remote(path) else _open_local(path)
    return _OPEN[key]


def _open_local(path: str) -> Any:
    # Every array is read once: a cache of arrays would only hold memory.
    return uproot.open({path: None}, array_cache=None, handler=uproot.MemmapSource)
