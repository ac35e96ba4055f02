"""The greedy search for category boundaries: what each one gained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """One boundary that the search tried: combined significance with it, and relative gain."""

    boundary: float
    combined: float
    gain: float
    accepted: bool


@dataclass(frozen=True)
class BoundarySearch:
    """Significance of one category, and of each step of the search."""

    inclusive: float
    steps: tuple[Step, ...]
    combined: float

    @property
    def accepted(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.accepted)

    def columns(self) -> dict[str, list[Any]]:
        """One row per step (the first: no boundary), for a CSV file."""
        return {
            "boundary": [None, *(s.boundary for s in self.steps)],
            "combined_significance": [self.inclusive, *(s.combined for s in self.steps)],
            "relative_gain": [None, *(s.gain for s in self.steps)],
            "accepted": [True, *(s.accepted for s in self.steps)],
        }


def boundary_search(categories: Mapping[str, Any]) -> BoundarySearch:
    """The search as `categories.json` tells it."""
    return BoundarySearch(
        inclusive=float(categories["inclusive"]),
        steps=tuple(
            Step(float(s["boundary"]), float(s["combined"]), float(s["gain"]), bool(s["accepted"]))
            for s in categories["steps"]
        ),
        combined=float(categories["combined"]),
    )
