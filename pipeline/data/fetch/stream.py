"""A stream: the bytes of one remote file from an offset on, over whichever protocol it is at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

TIMEOUT_S = 60.0
"""Seconds without a byte after which a source is taken to have failed."""
BLOCK = 1024 * 1024
"""Bytes that are taken from the network at a time."""


@dataclass(frozen=True)
class Stream:
    """Bytes of a remote file."""

    begin: int
    """Offset of the first byte: what was asked for, or 0 where there are no ranges."""
    size: int | None
    """Bytes of the whole file as the source says; None if it does not."""
    blocks: Iterator[bytes]
    version: str | None = None
    """What the source calls this version of the file; None if it does not say."""
