"""Which files a share of the data has: by hash, so that a smaller share is within a larger one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from pipeline.data.identity import basename

STEPS = ("one", "1%", "10%", "all")
"""Shares from the smallest to the largest; a promotion goes from one to the next."""
_PERCENT = {"1%": 1, "10%": 10, "all": 100}


def number_in(files: int, share: str) -> int:
    """How many of a process's `files` a share has: at least one, where there is one."""
    if share == "one":
        return min(1, files)
    return math.ceil(files * _PERCENT[share] / 100)


def share_of(uris: Sequence[str], share: str) -> set[str]:
    """The files of one process that a share has, in the order of the hashes of their names.

    The order does not depend on the mirror that they are on, nor on the other files.
    """
    ordered = sorted(uris, key=lambda uri: (hashlib.sha256(basename(uri).encode()).digest(), uri))
    return set(ordered[: number_in(len(ordered), share)])
