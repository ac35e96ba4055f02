"""Reading: the events of one chunk as coffea's virtual arrays, from a file that stays open."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from typing import Any

import uproot
from coffea.nanoevents import BaseSchema, NanoEventsFactory

from executors.base import Chunk

if importlib.util.find_spec("deflate") is not None:
    uproot.ZLIB.library = "deflate"  # the same bits as the standard library's zlib, in half the time

TIMEOUT = 120
"""Seconds that a read over the network may take."""

_Key = tuple[str, int, int]
_OPEN: dict[_Key, Any] = {}
"""The one file that this process read last: its next chunk needs no second look at the tree."""


class EventCountError(ValueError):
    """A chunk has other events or branches than it should."""


def read(chunk: Chunk, branches: Sequence[str]) -> Any:
    """The events of a chunk, with exactly `branches`, which are read in bulk.

    coffea's BaseSchema over virtual arrays: one field per branch, as the file spells it. Raises
    EventCountError if entries or branches are missing, and whatever uproot raises for a bad file.
    """
    factory = NanoEventsFactory.from_root(
        _directory(chunk.path),
        treepath=chunk.tree,
        schemaclass=BaseSchema,
        mode="virtual",
        entry_start=chunk.start,
        entry_stop=chunk.stop,
        preload=frozenset(branches),
        iteritems_options={"filter_name": list(branches)},
    )
    events = factory.events()
    if len(events) != len(chunk) or set(events.fields) != set(branches):
        raise EventCountError(
            f"expected {len(chunk)} events of {len(set(branches))} branches, found {len(events)} "
            f"of {len(events.fields)}"
        )
    return events


def close() -> None:
    """Close the file that was read last, if there is one."""
    for directory in _OPEN.values():
        directory.close()
    _OPEN.clear()


def _directory(path: str) -> Any:
    """The open file at `path`; opened again if it is another one than before."""
    status = os.stat(path)
    key = (path, status.st_mtime_ns, status.st_size)
    if key not in _OPEN:
        close()
        # Every array is read once: a cache of arrays would only hold memory.
        _OPEN[key] = uproot.open({path: None}, timeout=TIMEOUT, array_cache=None)
    return _OPEN[key]
