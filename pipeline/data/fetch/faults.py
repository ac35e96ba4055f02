"""What can go wrong while files are fetched: what passes, what stays, and what ends everything."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.data.errors import DataError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""System errors of a disk that takes no more."""


class PassingFault(Exception):  # noqa: N818  (of a source; no error of the transfer)
    """A source failed in a way that may go away; `wait_s` is what it asked for, if it did."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class SourceFault(Exception):  # noqa: N818  (the next source may do)
    """A source does not have the file, or has another one: asking it again is of no use."""

    def __init__(self, reason: str, absent: bool = False, content: bool = False) -> None:
        super().__init__(reason)
        self.absent = absent
        """The source says that there is no such file."""
        self.content = content
        """The source has a file of that name with other bytes than it should."""


class Cancelled(Exception):  # noqa: N818  (no error: somebody asked for it)
    """The transfer was told to end."""


class DiskFullError(DataError, OSError):
    """The disk of the cache takes no more."""


class CacheFullError(DataError, OSError):
    """The cache may not become as large as is needed."""


class MissingToolError(DataError, RuntimeError):
    """An address needs a package that is not installed."""


@dataclass(frozen=True)
class Failure:
    """A file that could not be fetched, and why: one reason per source."""

    uri: str
    reason: str
    absent: bool = False
    """Every source said that it has no such file."""
    content: bool = False
    """Every source has a file of that name with other bytes than it should."""


class FetchError(DataError, OSError):
    """Files could not be fetched."""

    def __init__(self, failures: Sequence[Failure], of: int) -> None:
        super().__init__(sentence(failures, of))
        self.failures = tuple(failures)


def sentence(failures: Sequence[Failure], of: int, shown: int = 3) -> str:
    """One sentence about the failed files of `of`, the first `shown` of them with their reasons."""
    first = "; ".join(f.reason for f in failures[:shown])
    more = f"; and {len(failures) - shown} more" if len(failures) > shown else ""
    return (
        f"expected {of} files, {len(failures)} could not be fetched: {first}{more}; give the same "
        "command again to go on where it stopped, or name another source"
    )
