"""Opens a ROOT file, here or on the network, to count its entries; what is wrong becomes data."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import uproot

from executors.base import TREES, is_remote
from executors.diagnosis import is_passing
from executors.remote import open_remote
from pipeline.data.identity import basename

_BIG_FILE = 1_000_000
"""Added to the version in the header of files with 64-bit positions (ROOT's TFile)."""


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be read."""

    kind: str
    """empty, truncated, corrupt, no_tree, or wrong_tree (it has others)."""
    message: str


def count_entries(path: Path | str, tree: str) -> int | Problem:
    """Entries of `tree` in the file at `path`, or the problem that keeps them from being read.

    An error of the network or the disk that may pass is raised: it is no problem of the file.
    """
    remote = is_remote(str(path))
    unfit = None if remote else _unfit(Path(path))
    if unfit is not None:
        return unfit
    try:
        with open_remote(str(path)) if remote else uproot.open(path) as file:
            names = file.keys(recursive=False, cycle=False, filter_classname=TREES)
            if tree in names:
                return int(file[tree].num_entries)
    except Exception as error:  # a damaged file makes uproot raise nearly anything
        if is_passing(error):
            raise
        lines = str(error).strip().splitlines()
        return _corrupt(path, lines[0][:160] if lines else type(error).__name__)
    found = ", ".join(names) or "no tree"
    message = f"expected tree {tree!r} in {basename(str(path))}, found {found}"
    return Problem("wrong_tree" if names else "no_tree", message)


def _unfit(path: Path) -> Problem | None:
    """Empty, not ROOT or truncated: what the size of a file here and its first bytes say."""
    size = path.stat().st_size
    if size == 0:
        return Problem("empty", f"{path.name} is empty (0 bytes): fetch the file again")
    end = _recorded_end(path)
    if end is None:
        return _corrupt(path, "it does not begin as one")
    if end > size:
        return Problem(
            "truncated",
            f"expected {end} bytes in {path.name}, found {size}: fetch the file again",
        )
    return None


def _corrupt(path: Path | str, reason: str) -> Problem:
    where, then = (
        (str(path), "take another mirror")
        if is_remote(str(path))
        else (Path(path).name, "fetch the file again")
    )
    return Problem(
        "corrupt",
        f"expected a ROOT file at {where}, found one that cannot be opened ({reason}): {then}",
    )


def _recorded_end(path: Path) -> int | None:
    """Length in bytes that the file's own header gives, or None if it has no such header."""
    with path.open("rb") as handle:
        header = handle.read(20)
    if len(header) < 20 or header[:4] != b"root":
        return None
    (version,) = struct.unpack(">i", header[4:8])
    (end,) = struct.unpack(">q" if version >= _BIG_FILE else ">i",
                           header[12:20] if version >= _BIG_FILE else header[12:16])  # fmt: skip
    return int(end)
