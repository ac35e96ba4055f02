"""The selected data of a point: masses and scores, and which of them may be shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.physics.regions import inside, tight_isolated
from pipeline.physics.significance import category_index
from pipeline.report.folder import PointFolder
from pipeline.report.numbers.binned import Array

FLAGS = ("ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated")


@dataclass(frozen=True)
class ObservedData:
    """Selected data events; `scores` is None before there is a classifier."""

    masses: Array
    scores: Array | None
    boundaries: tuple[float, ...]
    names: tuple[str, ...]
    """Names of the categories; one if there are no boundaries."""
    hidden: tuple[float, float] | None
    """Range in GeV of which no data are here, because it is blinded."""
    blinded: bool
    """Some of the data were kept from solvers until the measurement."""
    files: tuple[str, ...]

    def by_category(self) -> tuple[list[str], list[Array]]:
        """Names of the categories, and the masses in each."""
        return list(self.names), [self.masses[rows] for rows in self._rows()]

    def in_window(self, window: tuple[float, float]) -> list[int] | None:
        """Events within `window` per category; None if they are blinded."""
        if self.hidden is not None:
            return None
        chosen = inside(self.masses, window)
        return [int(np.count_nonzero(chosen & rows)) for rows in self._rows()]

    def _rows(self) -> list[np.ndarray]:
        if self.scores is None or not self.boundaries:
            return [np.ones(len(self.masses), dtype=bool)]
        index = category_index(self.scores, self.boundaries)
        return [index == i for i in range(len(self.names))]


def observed_data(point: PointFolder) -> ObservedData | None:
    """The data that the last stage with an output selected; None if no stage selected any.

    Until the measurement is made only what a solver may see is read: a report of an unfinished
    analysis does not unblind it.
    """
    opened = point.settings.unblind or point.results["measurement"] is not None
    categories = point.read_by("measure", "categorize", "categories.json")
    for stage in ("classify", "preprocess"):
        seen = point.visible("measure", stage, "data.parquet")
        every = point.read_by("measure", stage, "data.parquet")
        if seen is None or every is None:
            continue
        use = every if opened else seen
        table = point.table(use, [point.settings.channel.observable, "score"])
        found = point.json(categories) if categories and "score" in table else None
        return ObservedData(
            masses=table[point.settings.channel.observable].to_numpy(float),
            scores=table["score"].to_numpy(float) if "score" in table else None,
            boundaries=tuple(found["boundaries"]) if found else (),
            names=tuple(c["name"] for c in found["categories"]) if found else ("inclusive",),
            hidden=_hidden(point, use, every),
            blinded=point.rows(seen) < point.rows(every),
            files=(use, *((categories,) if found and categories else ())),
        )
    return _converted(point)


def _hidden(point: PointFolder, use: str, every: str) -> tuple[float, float] | None:
    """The blinded range, if `every` holds rows that `use` does not."""
    return point.settings.channel.blind if point.rows(use) < point.rows(every) else None


def _converted(point: PointFolder) -> ObservedData | None:
    """Data as converted, for runs that end there (or could not go on): never the blinded rows."""
    observable = point.settings.channel.observable
    files, masses, hidden = [], [], None
    for name, sample in point.results["samples"].items():
        path = point.made_by("convert", f"{name}.parquet", sealed=False)
        if sample["kind"] != "data" or path is None:
            continue
        table = point.table(path, [observable, *FLAGS])
        rows = np.ones(len(table), dtype=bool)
        if all(flag in table for flag in FLAGS):
            rows = tight_isolated(*(table[flag].to_numpy() for flag in FLAGS))
        masses.append(table[observable].to_numpy(float)[rows])
        files.append(path)
        every = point.made_by("convert", f"{name}.parquet") or path
        hidden = _hidden(point, path, every) or hidden
    if not files:
        return None
    return ObservedData(
        np.concatenate(masses), None, (), ("inclusive",), hidden, hidden is not None, tuple(files)
    )
