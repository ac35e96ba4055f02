"""Reading the files of a run that somebody else writes: they appear, vanish and grow meanwhile."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Signature = tuple[int, int, int]


@dataclass
class Reader:
    """JSON files and growing logs, each read again only when it has changed."""

    _seen: dict[Path, tuple[Signature, dict[str, Any] | None]] = field(default_factory=dict)
    _tails: dict[Path, Tail] = field(default_factory=dict)

    def json(self, path: Path) -> dict[str, Any] | None:
        """The object in a JSON file; None if there is no file, or no whole object in it."""
        signature = signature_of(path)
        if signature is None:
            self._seen.pop(path, None)
            return None
        known = self._seen.get(path)
        if known is not None and known[0] == signature:
            return known[1]
        content = json_object(path)
        self._seen[path] = (signature, content)
        return content

    def tail(self, path: Path) -> Tail:
        """The lines of a file of JSON lines that were not read yet; see Tail."""
        return self._tails.setdefault(path, Tail(path))


@dataclass
class Tail:
    """A file of JSON lines that grows, read from where reading stopped."""

    path: Path
    offset: int = 0
    inode: int = -1

    def read(self) -> tuple[bool, list[dict[str, Any]]]:
        """Whether the file began anew since the last time, and the whole lines since then.

        A last line without its end stays for the next time; lines that are no objects are left out.
        """
        try:
            with self.path.open("rb") as file:
                about = os.fstat(file.fileno())
                anew = about.st_ino != self.inode or about.st_size < self.offset
                if anew:
                    self.offset, self.inode = 0, about.st_ino
                file.seek(self.offset)
                content = file.read()
        except OSError:
            anew, self.offset, self.inode = self.inode != -1, 0, -1
            return anew, []
        whole = content[: content.rfind(b"\n") + 1]
        self.offset += len(whole)
        parsed = (_parsed(line) for line in whole.split(b"\n") if line)
        return anew, [entry for entry in parsed if entry is not None]


def signature_of(path: Path) -> Signature | None:
    """What changes when a file does; None if there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino


def json_object(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None."""
    try:
        return _parsed(path.read_bytes())
    except OSError:
        return None


def names_in(folder: Path) -> list[str]:
    """Sorted names in a folder; none if there is no folder."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def mtime_of(path: Path) -> float | None:
    """When a file was written last (seconds since 1970); None if there is none."""
    signature = signature_of(path)
    return None if signature is None else signature[0] / 1e9


def number_in(content: Mapping[str, Any], name: str) -> float | None:
    """A finite number in an object, or None."""
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) else None


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
