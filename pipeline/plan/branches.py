"""Which part of a file's bytes the branches of a solution are, from a table that was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.files import read_json
from pipeline.plan.amount import Amount

FOLDER = Path(__file__).with_name("branch_bytes")
ONE_FILE = 1.25
"""Factor to which the share of one file is taken to be that of others: so much the share of the
same branches differs between the files that the tables were measured on."""


@dataclass(frozen=True)
class MeasuredFile:
    """Compressed bytes per event of every branch of one file."""

    name: str
    adler32: str
    size: int
    entries: int
    kind: str
    """data or mc."""
    skim: str
    synthetic: bool
    branches: dict[str, float]

    @property
    def bytes_per_event(self) -> float:
        """Bytes of the whole file per entry, headers and all."""
        return self.size / self.entries

    def share(self, branches: Sequence[str]) -> float:
        """The part of the bytes of all branches that these are.

        Of a file of a few events headers are a good part, and of those that it stands for not.
        """
        return sum(self.branches.get(b, 0.0) for b in branches) / sum(self.branches.values())


@dataclass(frozen=True)
class BranchTable:
    """What was measured of a release's files."""

    release: str
    files: tuple[MeasuredFile, ...]

    def share(self, branches: Sequence[str]) -> Amount:
        """The part of the bytes that is read for `branches` (names as files spell them)."""
        names = ", ".join(
            f"{f.name} ({'synthetic' if f.synthetic else 'real'})" for f in self.files
        )
        shares = [f.share(branches) for f in self.files]
        if len(shares) > 1:
            return Amount.spread(shares, f"measured on {names}")
        return Amount.within(shares[0], ONE_FILE, f"measured on {names}")


@lru_cache
def branch_table(release: str) -> BranchTable | None:
    """The table of a release; None where nothing was measured."""
    path = FOLDER / f"{release}.json"
    if not path.is_file():
        return None
    content: dict[str, Any] = read_json(path)
    return BranchTable(release, tuple(MeasuredFile(**f) for f in content["files"]))
