"""How many events are left after each cut, per sample and per process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import hist


@dataclass(frozen=True)
class Row:
    """Events left of one sample (or of several together) after each cut, as counted."""

    name: str
    group: str
    role: str
    counts: tuple[int, ...]

    @property
    def fractions(self) -> tuple[float, ...]:
        """Share of all events that is left after each cut; 0 if there were none."""
        first = self.counts[0]
        return tuple(n / first if first else 0.0 for n in self.counts)


@dataclass(frozen=True)
class CutFlow:
    """The cuts in order, one row per sample, and one total per process."""

    cuts: tuple[str, ...]
    samples: tuple[Row, ...]
    totals: tuple[Row, ...]

    def columns(self) -> dict[str, list[Any]]:
        """One row per sample or total and cut, for a CSV file."""
        rows = [(row, i) for row in (*self.totals, *self.samples) for i in range(len(self.cuts))]
        totals = set(map(id, self.totals))
        return {
            "of": ["process" if id(row) in totals else "sample" for row, _ in rows],
            "name": [row.name for row, _ in rows],
            "process": [row.group for row, _ in rows],
            "cut": [self.cuts[i] for _, i in rows],
            "events": [row.counts[i] for row, i in rows],
            "fraction": [row.fractions[i] for row, i in rows],
        }

    def histograms(self) -> dict[str, hist.Hist[Any]]:
        """Events after each cut, one histogram per process."""
        found = {}
        for row in self.totals:
            axis = hist.axis.StrCategory(list(self.cuts), name="cut", label="cut")
            made = hist.Hist(axis, storage=hist.storage.Double())
            made.view(flow=True)[: len(row.counts)] = row.counts
            found[row.name] = made
        return found


def cut_flow(
    flows: Mapping[str, Sequence[Sequence[Any]]], samples: Mapping[str, Mapping[str, Any]]
) -> CutFlow | None:
    """The cut flow of all samples that have one; None if no sample has.

    `flows` and `samples` are the entries of those names in `results.json`. Totals come first
    data, then signals, then the rest, each in the order of the samples.
    """
    if not flows:
        return None
    cuts = tuple(str(name) for name, _ in max(flows.values(), key=len))
    rows = []
    for name in flows:
        about = samples.get(name, {})
        kind = str(about.get("kind", "data"))
        left = {str(cut): int(number) for cut, number in flows[name]}
        if tuple(left) != cuts:
            continue
        role = str(about.get("role", kind))
        group = str(about.get("process", kind))
        rows.append(Row(name, group, role, tuple(left[cut] for cut in cuts)))
    order = {"data": 0, "signal": 1, "background": 2}
    rows.sort(key=lambda row: order.get(row.role, 3))
    totals = [
        _total(group, [row for row in rows if row.group == group])
        for group in dict.fromkeys(row.group for row in rows)
    ]
    return CutFlow(cuts, tuple(rows), tuple(totals))


def _total(group: str, rows: Sequence[Row]) -> Row:
    counts = tuple(sum(column) for column in zip(*(row.counts for row in rows), strict=True))
    return Row(group, group, rows[0].role, counts)
