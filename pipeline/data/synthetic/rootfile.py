"""Writes a TTree with the branch names of the 2025 release, the same bytes for the same events.

The publisher's files hold `RVec` branches; uproot writes C arrays with a counter branch
(`photon_n`, `lep_n`, `jet_n`). Every reader sees the same names, types and values.
"""

from __future__ import annotations

import datetime
import types
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import awkward as ak
import numpy as np
import uproot
import uproot.writing._cascade
import uproot.writing._cascadetree

from pipeline.data.synthetic.batch import Batch

TREE = "analysis"
BASKET = 100_000
"""Entries per basket."""
_EPOCH = datetime.datetime(2025, 2, 1)
"""Written as the time of creation: the time of the release that the files imitate."""


def write_tree(
    path: Path, batch: Batch, order: np.ndarray, columns: dict[str, np.ndarray | str]
) -> None:
    """Write the events of `batch` to `path` in `order`, with further flat branches.

    `columns` are arrays in the order of writing, or one value (an array of shape () or a text) for
    all events. The same arguments and file name give the same bytes: no clock and no random
    identifier goes in.
    """
    with (
        _fixed_clock(),
        uproot.recreate(
            path,
            compression=uproot.ZLIB(1),
            uuid_function=lambda: uuid.UUID(int=0),
        ) as file,
    ):
        tree = None
        for start in range(0, max(len(order), 1), BASKET):
            stop = min(start + BASKET, len(order))
            part = _branches(batch.take(order[start:stop]), _slice(columns, start, stop))
            if tree is None:
                tree = file.mktree(
                    TREE,
                    {name: ak.type(values).content for name, values in part.items()},
                    counter_name=lambda collection: f"{collection}_n",
                )
            tree.extend(part)


def _slice(columns: dict[str, np.ndarray | str], start: int, stop: int) -> dict[str, ak.Array]:
    return {
        name: _text(v, stop - start)
        if isinstance(v, str)
        else ak.Array(np.full(stop - start, v) if v.ndim == 0 else v[start:stop])
        for name, v in columns.items()
    }


def _branches(batch: Batch, columns: dict[str, ak.Array]) -> dict[str, ak.Array]:
    flat = {k: ak.Array(v) for k, v in batch.flat.items()}
    jagged = {name: _jagged(c) for name, c in batch.objects.items()}
    return {**columns, **flat, **jagged}


def _text(value: str, n: int) -> ak.Array:
    """The same text `n` times."""
    letters = np.frombuffer(value.encode(), dtype=np.uint8)
    characters = ak.contents.NumpyArray(np.tile(letters, n), parameters={"__array__": "char"})
    offsets = ak.index.Index64(np.arange(n + 1) * len(letters))
    return ak.Array(
        ak.contents.ListOffsetArray(offsets, characters, parameters={"__array__": "string"})
    )


def _jagged(collection: dict[str, np.ndarray]) -> ak.Array:
    """Records of the filled slots, one list per event."""
    filled = collection["pt"] > 0
    offsets = np.concatenate([[0], np.cumsum(filled.sum(axis=1))])
    records = ak.contents.RecordArray(
        [ak.contents.NumpyArray(v[filled]) for v in collection.values()], list(collection)
    )
    return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(offsets), records))


@contextmanager
def _fixed_clock() -> Iterator[None]:
    """uproot asks the clock in these modules only; within the block it hears a fixed time."""
    modules = (uproot.writing._cascade, uproot.writing._cascadetree)
    clock = types.SimpleNamespace(
        datetime=types.SimpleNamespace(now=lambda: _EPOCH), timedelta=datetime.timedelta
    )
    before = [m.datetime for m in modules]
    for module in modules:
        module.datetime = clock
    try:
        yield
    finally:
        for module, original in zip(modules, before, strict=True):
            module.datetime = original
