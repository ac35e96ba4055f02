"""Reading: the events of one chunk as coffea's virtual arrays, from a file that stays open.

Of the chunk after it, if that is on the network, the branches are read meanwhile.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
import uproot
from coffea.nanoevents import BaseSchema, NanoEventsFactory
from coffea.nanoevents.mapping import TrivialUprootOpener, UprootSourceMapping
from coffea.nanoevents.util import tuple_to_key

from executors.base import Chunk, is_remote
from executors.prefetch import Ahead
from executors.remote import open_remote

if importlib.util.find_spec("isal") is not None:
    # The bits of the standard library's zlib in two thirds of the time, where it is installed.
    # `uproot.ZLIB.library` is documented for this, but reading does not look at it (uproot 5.7).
    uproot.compression._decompress_ZLIB.library = "isal"

_Key = tuple[str, int, int]
"""A path with time of change and size; both 0 for an address on the network."""
_OPEN: dict[_Key, Any] = {}
"""The one file that this process read last: its next chunk needs no second look at the tree."""

_SCHEMAS: dict[tuple[str, ...], Any] = {}
"""Of that file: tree and branches -> the schema that coffea made of them."""


class EventCountError(ValueError):
    """A chunk has other events or branches than it should."""


class BulkBuffers(Mapping[str, "np.ndarray[Any, Any]"]):
    """Branches read in bulk, as the buffers that coffea's virtual arrays ask for.

    Given as `buffer_cache`, it takes the place of `preload`, which copies every buffer once more.
    A key names a branch and the way to a buffer of its layout.
    """

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._layouts = {name: _lists_of_64_bits(a.layout) for name, a in arrays.items()}

    def __getitem__(self, key: str) -> np.ndarray[Any, Any]:
        name, _, *way = UprootSourceMapping.interpret_key(key)[-1]
        node = self._layouts[name]
        for step in way:
            if step == "!offsets":
                return np.asarray(node.offsets)
            node = node.content[: node.offsets[-1]]
        return np.asarray(node.data)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)

    def __len__(self) -> int:
        return len(self._layouts)


def _lists_of_64_bits(node: Any) -> Any:
    """A layout whose lists all have offsets of 64 bits from 0, as coffea's forms say.

    Once for each branch: its offsets and its content are asked for one after the other.
    """
    if not node.is_list:
        return node
    done = isinstance(node, ak.contents.ListOffsetArray) and node.offsets.dtype == np.int64
    lists = node if done and node.offsets[0] == 0 else node.to_ListOffsetArray64(True)
    inner = _lists_of_64_bits(lists.content)
    return lists if inner is lists.content else lists.copy(content=inner)


def read(chunk: Chunk, branches: Sequence[str]) -> Any:
    """The events of a chunk, with exactly `branches`, which are read in bulk.

    A name that ends in `?` is read where the tree has it: what only some files of a release hold.
    coffea's BaseSchema over virtual arrays: one field per branch, as the file spells it. Raises
    EventCountError if entries or branches are missing, and whatever uproot raises for a bad file.
    """
    found = _AHEAD.take((chunk, tuple(branches)))
    if found is None:
        found = _columns(_directory(chunk.path), chunk, branches)
    elif found.opened:
        _close_files()
        _OPEN[chunk.path, 0, 0] = found.directory
    directory, names, arrays = found.directory, found.names, found.arrays
    beside = _beside(names, arrays)
    events = _factory(directory, chunk, list(arrays), BulkBuffers(arrays)).events()
    for name, array in beside.items():
        events = ak.with_field(events, array, name)
    if len(events) != len(chunk) or set(events.fields) != set(names):
        raise EventCountError(
            f"expected {len(chunk)} events of {len(names)} branches, found {len(events)} of "
            f"{len(events.fields)}"
        )
    return events


def read_ahead(chunk: Chunk, branches: Sequence[str]) -> None:
    """Begin to read what `read` will be asked for next, in a thread; at most one chunk at a time.

    A chunk of the file that is open is read from that; another file is opened for it. What cannot
    be read ahead is read when it is asked for, so that an error is met there.
    """
    opened = _OPEN.get((chunk.path, 0, 0))

    def get() -> _Columns:
        if opened is not None:
            return _columns(opened, chunk, branches)
        directory = open_remote(chunk.path)
        try:
            return _columns(directory, chunk, branches, opened=True)
        except BaseException:
            directory.close()
            raise

    _AHEAD.start((chunk, tuple(branches)), get)


@dataclass(frozen=True)
class _Columns:
    """The branches of a chunk, read."""

    directory: Any
    names: list[str]
    arrays: dict[str, Any]
    opened: bool
    """Whether the file was opened for them."""

    def drop(self) -> None:
        """Close the file again that nobody else has."""
        if self.opened:
            self.directory.close()


_AHEAD: Ahead[_Columns] = Ahead(_Columns.drop)


def _columns(
    directory: Any, chunk: Chunk, branches: Sequence[str], opened: bool = False
) -> _Columns:
    tree = directory[chunk.tree]
    names = [b.removesuffix("?") for b in branches if not b.endswith("?") or b[:-1] in tree]
    arrays = tree.arrays(
        filter_name=names,
        entry_start=chunk.start,
        entry_stop=chunk.stop,
        how=dict,
    )
    return _Columns(directory, names, arrays, opened)


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


def _factory(
    directory: Any, chunk: Chunk, branches: Sequence[str], buffers: BulkBuffers
) -> NanoEventsFactory:
    """coffea's factory of a chunk; the schema is worked out for the first chunk of a file alone."""
    tree, known = directory[chunk.tree], (chunk.tree, *branches)
    entries = tree.num_entries
    start, stop = chunk.start, min(chunk.stop, entries)
    if known not in _SCHEMAS:
        return NanoEventsFactory.from_root(
            directory,
            treepath=chunk.tree,
            schemaclass=lambda form: _SCHEMAS.setdefault(known, BaseSchema(form)),
            mode="virtual",
            entry_start=start,
            entry_stop=stop,
            buffer_cache=buffers,
            iteritems_options={"filter_name": list(branches)},
        )
    uuid = str(tree.file.uuid)
    mapping = UprootSourceMapping(
        TrivialUprootOpener({uuid: tree.file.file_path}), start, stop, cache={},
        file_handle=directory, virtual=True, buffer_cache=buffers,
    )  # fmt: skip
    mapping.preload_column_source(uuid, tree.object_path, tree)
    partition = tuple_to_key((uuid, tree.object_path, f"{start}-{stop}"))
    return NanoEventsFactory(_SCHEMAS[known], mapping, partition, mode="virtual")


def close() -> None:
    """Close the file that was read last, if there is one; what is read ahead is given up."""
    _AHEAD.forget()
    _close_files()


def _close_files() -> None:
    _SCHEMAS.clear()
    for directory in _OPEN.values():
        directory.close()
    _OPEN.clear()


def is_open(path: str) -> bool:
    """Whether the file at `path` is the one that was read last."""
    return any(known == path for known, _, _ in _OPEN)


def _directory(path: str) -> Any:
    """The open file at `path`, a path or an address; opened again if it was changed."""
    key = (path, 0, 0)
    if not is_remote(path):
        status = os.stat(path)
        key = (path, status.st_mtime_ns, status.st_size)
    if key not in _OPEN:
        _close_files()
        _OPEN[key] = open_remote(path) if is_remote(path) else _open_local(path)
    return _OPEN[key]


def _open_local(path: str) -> Any:
    # Every array is read once: a cache of arrays would only hold memory. Read, and not mapped: a
    # file that is cut short meanwhile is an error then and no signal, and it takes less time.
    return uproot.open(
        {path: None}, array_cache=None, handler=uproot.MultithreadedFileSource, num_workers=1
    )
