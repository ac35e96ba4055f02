"""The figures of a trial: a solution's output over the reference's, as numbers to be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.files import RunFileError, read_json
from pipeline.sweep_page.histogram import Contents, Observable, fill_file, finite
from pipeline.sweep_page.observables import ChannelAxes, kind_of, observables

Filled = dict[str, tuple[Observable, Contents]]
Drawn = tuple[dict[str, Any], dict[str, Any] | None]
"""What a figure's axes and its reference are, and what the solution gives."""
DOCUMENTS = {"categorize": "categories.json", "measure": "measurement.json"}
"""Stages whose output is one JSON file."""


@dataclass
class Figures:
    """Makes figures of a run; files with the same bytes are read once.

    Only `output/` is read, which holds no blinded event: the page shows nothing that a solver
    could not see.
    """

    run: Path
    _filled: dict[tuple[Any, ...], dict[str, Contents]] = field(default_factory=dict)
    _sums: dict[tuple[Any, ...], Filled] = field(default_factory=dict)

    def of(
        self, folder: str, reference: str, stage: str, channel: ChannelAxes
    ) -> tuple[list[Drawn], str]:
        """The figures, and a sentence where there are none or something is missing.

        `folder` and `reference` are a stage's folders in the run, e.g. `points/a/convert`.
        """
        if not (self.run / folder / "record.json").is_file():
            return [], "No figures: the stage was not run on the data."
        try:
            if not read_json(self.run / folder / "record.json").get("files"):
                return [], "No figures: the stage ended without an output."
            if stage in DOCUMENTS:
                return self._documents(folder, reference, stage, channel), ""
            return self._histograms(folder, reference, stage, channel)
        except (OSError, RunFileError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            return [], f"No figures: the output cannot be read as this stage's: {error}"

    def _histograms(
        self, folder: str, reference: str, stage: str, channel: ChannelAxes
    ) -> tuple[list[Drawn], str]:
        if not observables(stage, channel):
            return [], f"No figures: {stage} makes no distributions; its checks say what differs."
        ours = self._sum(reference, stage, channel)
        theirs = self._sum(folder, stage, channel)
        if not theirs:
            return [], "No figures: the output has no table with the columns that are drawn."
        found: list[Drawn] = []
        for key in ours or theirs:
            shown, expected = (ours or theirs)[key][0], ours.get(key)
            head = _axes(shown) | {
                "reference": expected[1].to_json(shown.density) if expected else None
            }
            solution = theirs[key][1].to_json(shown.density) if key in theirs else None
            found.append((head, solution))
        return found, "" if ours else "The reference's output is not here to compare with."

    def _sum(self, folder: str, stage: str, channel: ChannelAxes) -> Filled:
        """What every observable of a stage holds, summed over the tables of its kind."""
        hashes = _tables(self.run / folder)
        key = (stage, channel, tuple(sorted(hashes.items())))
        if key in self._sums:
            return self._sums[key]
        wanted = observables(stage, channel)
        total: Filled = {}
        for name, digest in sorted(hashes.items()):
            kind = wanted.get(kind_of(stage, name, channel), ())
            filled = self._fill(self.run / folder / "output" / f"{name}.parquet", digest, kind)
            for o in kind:
                if o.key in filled:
                    so_far = total.get(o.key)
                    new = filled[o.key] if so_far is None else so_far[1] + filled[o.key]
                    total[o.key] = (o, new)
        order = [o.key for kind in wanted.values() for o in kind]
        self._sums[key] = {k: total[k] for k in order if k in total}
        return self._sums[key]

    def _fill(self, path: Path, digest: str, wanted: tuple[Observable, ...]) -> dict[str, Contents]:
        key = (digest, wanted)
        if key not in self._filled:
            self._filled[key] = fill_file(path, wanted) if wanted else {}
        return self._filled[key]

    def _documents(
        self, folder: str, reference: str, stage: str, channel: ChannelAxes
    ) -> list[Drawn]:
        """Figures of a stage that writes one JSON file."""
        shapes = _scan if stage == "categorize" else _measurement
        name = DOCUMENTS[stage]
        path = self.run / folder / "output" / name
        if not path.is_file():
            raise ValueError(f"expected {name} at {path}, found none")
        theirs = shapes(read_json(path))
        expected = self.run / reference / "output" / name
        ours = shapes(read_json(expected)) if expected.is_file() else {}
        head = {"observed": channel.observed}
        return [
            ({"kind": kind, "reference": ours.get(kind), **head}, theirs[kind]) for kind in theirs
        ]


def _axes(o: Observable) -> dict[str, Any]:
    return {
        "kind": "histogram", "title": o.title, "x": o.axis, "unit": o.unit, "y": o.quantity,
        "low": o.low, "high": o.high, "bins": o.bins, "weighted": bool(o.weight),
        "hidden": o.hidden,
    }  # fmt: skip


def _tables(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 of the Parquet tables of a stage's output, as its record has them."""
    path = folder / "record.json"
    if not path.is_file():
        return {}
    files: Mapping[str, str] = read_json(path).get("files", {})
    return {
        name.removeprefix("output/").removesuffix(".parquet"): digest
        for name, digest in files.items()
        if name.startswith("output/") and name.endswith(".parquet")
    }


def _scan(categories: Mapping[str, Any]) -> dict[str, Any]:
    """The search for boundaries, and what each category holds."""
    scan = {
        "inclusive": _number(categories["inclusive"]),
        "combined": _number(categories["combined"]),
        "steps": [
            [_number(s["boundary"]), _number(s["combined"]), bool(s["accepted"])]
            for s in categories["steps"]
        ],
    }
    ranges = [
        [*map(_number, c["range"]), _number(c["significance"]), _number(c["signal"]),
         _number(c["background"])]
        for c in categories["categories"]
    ]  # fmt: skip
    return {"scan": scan, "categories": {"rows": ranges}}


def _measurement(found: Mapping[str, Any]) -> dict[str, Any]:
    """The signal strength with its intervals, and the profile of the likelihood if it was kept."""
    shapes: dict[str, Any] = {
        "strength": {
            "mu": _number(found["mu"]),
            "error": [_number(e) for e in found["mu_err"]],
            "interval": [_number(e) for e in found.get("mu_interval_95") or ()],
        }
    }
    if profile := found.get("profile"):
        pairs = zip(profile["mu"], profile["two_delta_nll"], strict=True)
        shapes["profile"] = {"points": [[_number(a), _number(b)] for a, b in pairs]}
    return shapes


def _number(value: Any) -> float:
    return finite(float(value))
