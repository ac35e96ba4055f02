"""Opens a ROOT file to count its entries; what is wrong with a file becomes data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import uproot


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be read."""

    kind: str
    """empty, truncated, corrupt, or wrong_tree."""
    message: str


def count_entries(path: Path, tree: str) -> int | Problem:
    """Entries of `tree` in the file at `path`, or the problem that keeps them from being read."""
    size = path.stat().st_size
    if size == 0:
        return Problem("empty", f"{path.name} is empty (0 bytes); fetch it again")
    try:
        with uproot.open(path) as file:
            end = int(file.file.fEND)
            if end > size:
                return Problem(
                    "truncated",
                    f"expected {end} bytes in {path.name}, found {size}: it was cut; fetch it again",
                )
            names = file.keys(recursive=False, cycle=False, filter_classname="TTree")
            if tree not in names:
                found = ", ".join(names) or "no tree"
                return Problem(
                    "wrong_tree", f"expected tree {tree!r} in {path.name}, found {found}"
                )
            return int(file[tree].num_entries)
    except Exception as error:  # noqa: BLE001  (a damaged file makes uproot raise nearly anything)
        reason = str(error).strip().splitlines()
        said = reason[0] if reason else type(error).__name__
        return Problem(
            "corrupt",
            f"expected a ROOT file at {path.name}, found one that cannot be opened ({said[:160]}); "
            "fetch it again",
        )
