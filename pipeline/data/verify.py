"""Verifies files against what the manifest says of them: by checksum, by size, or not at all."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pipeline.data.errors import VerificationError
from pipeline.data.identity import format_adler32
from pipeline.data.manifest import ManifestFile

BLOCK = 4 * 1024 * 1024
"""Bytes that are read at a time."""

Mode = Literal["checksum", "size", "none"]


def adler32_file(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """Adler-32 of a file as eight lower-case hex digits.

    `progress` is told the number of bytes of each block that was read.
    """
    value = 1
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            value = zlib.adler32(block, value)
            if progress is not None:
                progress(len(block))
    return format_adler32(value)


def verify_file(
    path: Path, expected: ManifestFile, mode: Mode, progress: Callable[[int], None] | None = None
) -> Mode:
    """Check `path` against the manifest; what was checked, to be recorded.

    Raises VerificationError, naming what was expected and found, if size or checksum differ.
    `progress` is told bytes as they are read.
    """
    if mode == "none":
        return mode
    size = path.stat().st_size
    if size != expected.size:
        raise VerificationError(_sentence("size", f"{expected.size} bytes", f"{size} bytes", path))
    if mode == "checksum":
        found = adler32_file(path, progress)
        if found != expected.adler32:
            raise VerificationError(_sentence("adler32", expected.adler32, found, path))
    return mode


def _sentence(what: str, expected: str, found: str, path: Path) -> str:
    return (
        f"expected {what} {expected} of {path.name}, found {found} in {path}; fetch the file "
        "again, or take it as it is with data.verify=none"
    )
