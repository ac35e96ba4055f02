"""Pieces of a page, each stored once: compressed in chunks that the page opens when asked."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

CHUNK = 1_000_000
"""Characters of pieces in a chunk: a few milliseconds of unpacking, and good compression."""


def to_text(value: Any) -> str:
    """`value` as ASCII JSON with nothing in it that could end a script element or a line."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@dataclass
class Pieces:
    """A growing set of JSON values; equal values are kept once and share one address.

    Pieces of the same group come to stand near each other, so that opening a trial unpacks
    little. The same values added in the same order give the same bytes.
    """

    _addresses: dict[bytes, str] = field(default_factory=dict)
    _chunks: list[list[str]] = field(default_factory=list)
    _open: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Group -> its chunk that still takes pieces, and the characters in it."""
    added: int = 0
    """Pieces that were added, repeated ones too."""

    def add(self, value: Any, group: str) -> str:
        """The address of `value`: number of the chunk and of the place in it, as `3.14`."""
        text = to_text(value)
        self.added += 1
        key = hashlib.sha256(text.encode("ascii")).digest()
        if key not in self._addresses:
            self._addresses[key] = self._place(text, group)
        return self._addresses[key]

    @property
    def kept(self) -> int:
        """Pieces that are different from each other."""
        return len(self._addresses)

    def chunks(self) -> list[str]:
        """Each chunk as base64 of a compressed JSON list."""
        found = []
        for pieces in self._chunks:
            content = f"[{','.join(pieces)}]".encode("ascii")
            packed = gzip.compress(content, compresslevel=9, mtime=0)
            found.append(base64.b64encode(packed).decode("ascii"))
        return found

    def _place(self, text: str, group: str) -> str:
        number, size = self._open.get(group, (-1, CHUNK))
        if size + len(text) > CHUNK:
            number, size = len(self._chunks), 0
            self._chunks.append([])
        self._chunks[number].append(text)
        self._open[group] = (number, size + len(text))
        return f"{number}.{len(self._chunks[number]) - 1}"
