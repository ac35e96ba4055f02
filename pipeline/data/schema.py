"""The schema door: one set of event variables, in GeV, for every release.

Behind it `photon_E` in MeV (2020), C arrays (2016) and RVec branches (2025) are the same names.
The tables in `doors/<release>.json` say which branch a variable comes from.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import awkward as ak
import numpy as np

from pipeline.data.errors import BranchError, ReleaseError
from pipeline.files import read_json

FOLDER = Path(__file__).parent / "doors"


@dataclass(frozen=True)
class Derivation:
    """How a variable without a branch of its own follows from its source branch."""

    rule: Literal["at_least", "above", "differs", "constant"]
    value: float

    def __call__(self, source: ak.Array) -> ak.Array:
        """Values of the derived variable, in the shape of `source`."""
        if self.rule == "at_least":
            return source >= self.value
        if self.rule == "above":
            return source > self.value
        if self.rule == "differs":
            return source != self.value
        return ak.full_like(source, self.value)


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


@dataclass(frozen=True)
class Door:
    """The event variables of one release."""

    release: str
    tree: str
    fields: dict[str, Field]

    def physical(self, names: Sequence[str]) -> list[str]:
        """Branches to read for the variables `names`: each once, in the order of first use.

        Raises BranchError for a name that the release does not have.
        """
        return list(dict.fromkeys(s for n in names for s in self._field(n).sources))

    def unify(self, arrays: Any, names: Sequence[str]) -> ak.Array:
        """A flat record array with exactly the variables `names`, energies in GeV.

        `arrays` holds the physical branches by name: an awkward record array, coffea's events or a
        mapping. Types of numbers stay as in the file (float32 stays float32). Raises BranchError
        for an unknown name, and for a branch that `arrays` does not have.
        """
        if not names:
            raise BranchError(f"expected at least one variable of release {self.release}, got none")
        return ak.zip({n: self._values(self._field(n), arrays) for n in names}, depth_limit=1)

    def _field(self, name: str) -> Field:
        try:
            return self.fields[name]
        except KeyError:
            near = difflib.get_close_matches(name, self.fields, n=3, cutoff=0.5)
            hint = f"nearest: {', '.join(near)}" if near else f"known: {', '.join(self.fields)}"
            raise BranchError(f"release {self.release} has no variable {name!r}; {hint}") from None

    def _values(self, field: Field, arrays: Any) -> ak.Array:
        branch = field.sources[0]
        present = arrays if isinstance(arrays, Mapping) else ak.fields(arrays)
        if branch not in present:
            raise BranchError(
                f"expected branch {branch!r} for variable {field.name!r} of release "
                f"{self.release}, found only {', '.join(sorted(present)[:8]) or 'no branches'}…; "
                "the file is of another release or version"
            )
        source = arrays[branch]
        if field.derived is not None:
            return field.derived(source)
        if field.scale == 1.0:
            return source
        # Dividing by 1000 rounds once; multiplying by float32(0.001) would move 25,000 MeV
        # above 25 GeV.
        return source / np.float32(1.0 / field.scale)


@lru_cache
def door(release: str) -> Door:
    """The door of a release, by its official key; ReleaseError if it has none."""
    path = FOLDER / f"{release}.json"
    if not path.is_file():
        raise ReleaseError(
            f"no schema for release {release!r}; known: {', '.join(known_releases())}"
        )
    table = read_json(path)
    return Door(table["release"], table["tree"], {f["name"]: _field(f) for f in table["fields"]})


def known_releases() -> list[str]:
    """Official keys of the releases that have a door."""
    return sorted(p.stem for p in FOLDER.glob("*.json"))


def _field(entry: dict[str, Any]) -> Field:
    derived = entry.get("derived")
    return Field(
        **{
            **entry,
            "sources": tuple(entry["sources"]),
            "derived": None if derived is None else Derivation(**derived),
        }
    )
