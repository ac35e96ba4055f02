"""The sum of weights of a simulated PHYSLITE sample: from its files, and from the table."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from executors.base import is_remote
from pipeline.data.errors import BookkeeperError
from pipeline.data.fetch.transfer import JOBS
from pipeline.data.physlite.cut_bookkeepers import Weights, read_weights
from pipeline.data.remote import patient

TOLERANCE = 1e-3
"""Relative, between the sum over the files and the table's: the files add up 4-byte weights."""


def checked_sum(
    listed: float | None, paths: Sequence[Path | str], complete: bool, reasons: list[str]
) -> float | None:
    """The sum of weights to normalise a sample with; why it may not be goes to `reasons`.

    It is the table's, `listed`, where there is one: the sum over all files must agree with it, and
    stands in for it where there is none. The sum over an incomplete sample is never taken. Files
    are at paths or at addresses; FetchError if a mirror fails for long.
    """
    if not complete or not paths:
        return listed
    try:
        with ThreadPoolExecutor(JOBS) as pool:
            found = sum(pool.map(_weights, paths), Weights(0.0, 0.0, 0))
    except BookkeeperError as error:
        reasons.append(str(error))
        return listed
    if listed is None:
        return found.total
    if abs(found.total - listed) > TOLERANCE * abs(listed):
        reasons.append(
            f"expected a sum of weights of {listed:.6g} as in the release's table, found "
            f"{found.total:.6g} over the {len(paths)} file(s)"
        )
    return listed


def _weights(path: Path | str) -> Weights:
    if is_remote(str(path)):
        return patient(lambda: read_weights(path), str(path))
    return read_weights(path)
