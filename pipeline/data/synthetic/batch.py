"""A batch of synthetic events: one array per quantity, objects in slots that may be empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Collection = dict[str, np.ndarray]
"""Arrays of shape (n, slots) by quantity, in float32, int32 or bool; empty slots have pT 0."""


@dataclass(frozen=True)
class Batch:
    """Events with flat quantities of shape (n,) and collections of objects."""

    flat: dict[str, np.ndarray]
    objects: dict[str, Collection]
    component: np.ndarray
    """Name of what made the event, as an index into `names`; part of the truth."""
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.component)

    def take(self, index: np.ndarray) -> Batch:
        """The events at `index` (positions or a mask), in that order."""
        return Batch(
            {k: v[index] for k, v in self.flat.items()},
            {o: {k: v[index] for k, v in c.items()} for o, c in self.objects.items()},
            self.component[index],
            self.names,
        )


def concatenate(batches: Sequence[Batch]) -> Batch:
    """All events of the batches, one after the other; slots are filled up with empty ones."""
    first = batches[0]
    names = tuple(dict.fromkeys(n for b in batches for n in b.names))
    flat = {k: np.concatenate([b.flat[k] for b in batches]) for k in first.flat}
    objects = {
        o: {k: _stack([b.objects[o][k] for b in batches]) for k in first.objects[o]}
        for o in first.objects
    }
    component = [
        np.array([names.index(n) for n in b.names], dtype=np.int8)[b.component] for b in batches
    ]
    return Batch(flat, objects, np.concatenate(component), names)


def _stack(arrays: list[np.ndarray]) -> np.ndarray:
    slots = max(a.shape[1] for a in arrays)
    return np.concatenate([np.pad(a, ((0, 0), (0, slots - a.shape[1]))) for a in arrays])


def in_order(collection: Collection) -> Collection:
    """The same objects with falling pT, empty slots last."""
    order = np.argsort(-collection["pt"], axis=1, kind="stable")
    return {k: np.take_along_axis(v, order, axis=1) for k, v in collection.items()}


def join(collections: Sequence[Collection]) -> Collection:
    """Objects of several collections of the same events, side by side."""
    return {k: np.concatenate([c[k] for c in collections], axis=1) for k in collections[0]}
