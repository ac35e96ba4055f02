"""What a call printed: its end is kept, its amount is limited."""

from __future__ import annotations

TAIL = 16_384
"""Bytes of each stream that are kept."""


class Output:
    """Collects two streams of bytes, with one limit for both together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._total = 0
        self._tails = [b"", b""]

    def first(self, data: bytes) -> None:
        """More of stdout."""
        self._keep(0, data)

    def second(self, data: bytes) -> None:
        """More of stderr."""
        self._keep(1, data)

    @property
    def over(self) -> bool:
        """Whether more than the limit was printed."""
        return self._total > self.limit

    @property
    def stdout(self) -> str:
        """The end of stdout."""
        return self._tails[0].decode(errors="replace")

    @property
    def stderr(self) -> str:
        """The end of stderr."""
        return self._tails[1].decode(errors="replace")

    def _keep(self, index: int, data: bytes) -> None:
        self._total += len(data)
        self._tails[index] = (self._tails[index] + data)[-TAIL:]
