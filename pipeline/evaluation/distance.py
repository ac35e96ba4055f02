"""How far the physics of outputs is from that of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.intervals import Amount, mean


@dataclass(frozen=True)
class Distance:
    """Of one quantity: value minus the reference's, as it is and relative to the latter."""

    absolute: Amount
    relative: Amount
    """Cells whose reference is 0 are not in it."""
    largest: float
    """The absolute difference that is furthest from 0, with its sign."""


def distances(cells: Sequence[Cell]) -> dict[str, Distance]:
    """Quantity -> distance, over all rated cells that have an output, also those that failed."""
    found: dict[str, list[tuple[float, float]]] = {}
    for cell in cells:
        for name, value in cell.quantities.items():
            if cell.rated and name in cell.reference:
                found.setdefault(name, []).append((value, cell.reference[name]))
    return {name: _distance(pairs) for name, pairs in sorted(found.items())}


def _distance(pairs: Sequence[tuple[float, float]]) -> Distance:
    differences = [value - right for value, right in pairs]
    relative = [(value - right) / abs(right) for value, right in pairs if right != 0]
    return Distance(mean(differences), mean(relative), max(differences, key=abs))
