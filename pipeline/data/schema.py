"""The schema door: one set of event variables, in GeV, for every release.

Behind it `photon_E` in MeV (2020), C arrays (2016), RVec branches (2025) and the containers of
PHYSLITE (2024) are the same names. The tables in `doors/<release>.json` say which branches a
variable comes from, and why a variable of another release cannot be had.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from pipeline.data.errors import BranchError, ReleaseError
from pipeline.data.rules import RULES
from pipeline.files import read_json

FOLDER = Path(__file__).parent / "doors"


@dataclass(frozen=True)
class Derivation:
    """How a variable without a branch of its own follows from its source branches."""

    rule: str
    """Name of a function in `rules`."""
    value: float = 0.0

    def __call__(self, *sources: ak.Array | None) -> ak.Array:
        """Values of the derived variable, in the unit of the file; None: a source not there."""
        return RULES[self.rule](*sources, self.value)


@dataclass(frozen=True)
class Field:
    """One event variable behind the door."""

    name: str
    type: str
    """`float`, `bool`, `int32`, …; with `[]` for one value per object."""
    unit: str
    description: str
    sources: tuple[str, ...]
    """Branches of the file that it is made from."""
    scale: float = 1.0
    """Unit of the file in units of the door: 0.001 where the file is in MeV."""
    derived: Derivation | None = None
    optional: tuple[str, ...] = ()
    """Sources that a file may lack, e.g. what only simulation has."""
    fact: str | None = None
    """Key of the sample in the fileset that holds the value, where the file does not."""


@dataclass(frozen=True)
class Door:
    """The event variables of one release."""

    release: str
    tree: str
    fields: dict[str, Field]
    missing: Mapping[str, str] = field(default_factory=dict)
    """Variable of other releases that cannot be had here -> why."""

    @cached_property
    def optional(self) -> frozenset[str]:
        """Branches that a file of the release may lack."""
        return frozenset(s for f in self.fields.values() for s in f.optional)

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """Keys of the sample in the fileset that variables stand for."""
        return tuple(f.fact for f in self.fields.values() if f.fact is not None)

    def physical(self, names: Sequence[str]) -> list[str]:
        """Branches to read for the variables `names`: each once, in the order of first use.

        Raises BranchError for a name that the release does not have.
        """
        return list(dict.fromkeys(s for n in names for s in self._field(n).sources))

    def unify(
        self, arrays: Any, names: Sequence[str], sample: Mapping[str, Any] | None = None
    ) -> ak.Array:
        """A flat record array with exactly the variables `names`, energies in GeV.

        `arrays` holds the physical branches by name: an awkward record array, coffea's events or a
        mapping. `sample` is the fileset's entry of the sample, for what no branch says, such as its
        cross-section (NaN without it). Types of numbers stay as in the file (float32 stays
        float32). Raises BranchError for an unknown name, and for a branch that `arrays` does not
        have.
        """
        if not names:
            raise BranchError(f"expected at least one variable of release {self.release}, got none")
        fields = [self._field(n) for n in names]
        found = [
            self._values(f, arrays)
            if f.fact is None
            else _of_sample(f.fact, sample, _events(arrays))
            for f in fields
        ]
        layouts = [ak.to_layout(values) for values in found]
        return ak.Array(ak.contents.RecordArray(layouts, [f.name for f in fields]))

    def _field(self, name: str) -> Field:
        if name in self.missing:
            raise BranchError(f"release {self.release} has no {name!r}: {self.missing[name]}")
        try:
            return self.fields[name]
        except KeyError:
            near = difflib.get_close_matches(name, self.fields, n=3, cutoff=0.5)
            hint = f"nearest: {', '.join(near)}" if near else f"known: {', '.join(self.fields)}"
            raise BranchError(f"release {self.release} has no variable {name!r}; {hint}") from None

    def _values(self, variable: Field, arrays: Any) -> ak.Array:
        present = arrays if isinstance(arrays, Mapping) else ak.fields(arrays)
        for branch in variable.sources:
            if branch not in present and branch not in variable.optional:
                raise BranchError(
                    f"expected branch {branch!r} for variable {variable.name!r} of release "
                    f"{self.release}, found only {', '.join(sorted(present)[:8]) or 'no branches'}"
                    "…; the file is of another release or version"
                )
        sources = [arrays[b] if b in present else None for b in variable.sources]
        values: Any = sources[0] if variable.derived is None else variable.derived(*sources)
        if variable.scale == 1.0:
            return values
        # Dividing by 1000 rounds once; multiplying by float32(0.001) would move 25,000 MeV
        # above 25 GeV.
        return values / np.float32(1.0 / variable.scale)


def _events(arrays: Any) -> int:
    """Number of events in physical branches."""
    return len(next(iter(arrays.values()))) if isinstance(arrays, Mapping) else len(arrays)


def _of_sample(key: str, sample: Mapping[str, Any] | None, events: int) -> ak.Array:
    """A fact of the sample for each of its events, float64."""
    value = None if sample is None else sample[key]
    return ak.Array(np.full(events, np.nan if value is None else value, dtype=np.float64))


@lru_cache
def door(release: str) -> Door:
    """The door of a release, by its official key; ReleaseError if it has none."""
    path = FOLDER / f"{release}.json"
    if not path.is_file():
        raise ReleaseError(
            f"no schema for release {release!r}; known: {', '.join(known_releases())}"
        )
    table = read_json(path)
    fields = {f["name"]: _field(f) for f in table["fields"]}
    return Door(table["release"], table["tree"], fields, table.get("missing", {}))


def known_releases() -> list[str]:
    """Official keys of the releases that have a door."""
    return sorted(p.stem for p in FOLDER.glob("*.json"))


def _field(entry: dict[str, Any]) -> Field:
    derived = entry.get("derived")
    return Field(
        **{
            **entry,
            "sources": tuple(entry["sources"]),
            "optional": tuple(entry.get("optional", ())),
            "derived": None if derived is None else Derivation(**derived),
        }
    )
