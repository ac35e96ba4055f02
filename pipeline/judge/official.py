"""Official numbers of the ATLAS Open Data examples, and how a run's cut flows compare with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.files import read_json

NUMBERS = Path(__file__).with_name("official.json")

CutFlow = Sequence[Sequence[Any]]
"""Cumulative `[name, events]` pairs, the first of which counts all entries."""


@cache
def official_numbers() -> tuple[dict[str, Any], ...]:
    """The comparable entries of `official.json`: release, channel, samples, counts and worth."""
    return tuple(read_json(NUMBERS)["numbers"])


def compare_official(
    release: str, channel: str, cutflows: Mapping[str, CutFlow]
) -> list[dict[str, Any]]:
    """Rows {sample, quantity, official, found, agrees, worth} for what can be compared.

    `cutflows` maps sample to its cut flow. A number is compared only where every one of its
    samples was read in full, which is seen from the count of entries: a part of a sample has no
    official number. Several samples are compared by the sum of their cut flows. Counts are counts:
    they agree if they are equal.
    """
    rows = []
    for number in official_numbers():
        if (number["release"], number["channel"]) != (release, channel):
            continue
        flows = [cutflows[name] for name in number["samples"] if name in cutflows]
        if len(flows) != len(number["samples"]) or len({len(flow) for flow in flows}) != 1:
            continue
        counts = [sum(int(flow[i][1]) for flow in flows) for i in range(len(flows[0]))]
        if not counts or counts[0] != number["entries"]:
            continue
        sample = _title(number["samples"])
        for position, (quantity, official) in _steps(number):
            found = counts[position] if -len(counts) <= position < len(counts) else None
            rows.append(
                {
                    "sample": sample,
                    "quantity": quantity,
                    "official": official,
                    "found": found,
                    "agrees": found == official,
                    "worth": f"{number['worth']}: {number['source']}",
                }
            )
    return rows


def _steps(number: Mapping[str, Any]) -> list[tuple[int, tuple[str, int]]]:
    """Position in the cut flow -> (name, events), the entries first; -1 is the last position."""
    steps = sorted((int(position), tuple(step)) for position, step in number["steps"].items())
    return [(0, ("entries", number["entries"])), *steps]


def _title(samples: Sequence[str]) -> str:
    return samples[0] if len(samples) == 1 else f"all {len(samples)} data samples"
