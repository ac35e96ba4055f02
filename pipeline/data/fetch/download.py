"""One file: taken from its sources until it is whole and is the one that the manifest lists."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from pipeline.data.fetch.faults import Cancelled, Failure, PassingFault, SourceFault
from pipeline.data.fetch.part import SUFFIX, Part, open_part
from pipeline.data.fetch.protocols import open_stream
from pipeline.data.fetch.stream import BLOCK, TIMEOUT_S
from pipeline.data.identity import basename
from pipeline.data.manifest import ManifestFile
from pipeline.data.verify import Mode

OnBytes = Callable[[int], None]
"""Told the bytes that arrived now; a negative number of those that have to come again."""


@dataclass(frozen=True)
class Patience:
    """How often a source is asked, and how long we wait in between."""

    attempts: int = 5
    """Attempts in a row that bring nothing new (less than BLOCK together), per source."""
    first_s: float = 0.5
    longest_s: float = 30.0
    """Longest pause of our own, and longest that a server may ask for."""
    timeout_s: float = TIMEOUT_S

    def pause(self, attempt: int, asked_s: float | None) -> float:
        """Seconds before the attempt after number `attempt`: exponential, with jitter.

        A server that says when to come back (`Retry-After`) is waited for at least as long, up to
        `longest_s`.
        """
        own: float = min(self.longest_s, self.first_s * 2 ** (attempt - 1))
        return max(random.uniform(0.5, 1.0) * own, min(asked_s or 0.0, self.longest_s))


@dataclass(frozen=True)
class Order:
    """A file that is wanted: which, where from, where to, and what of it is checked."""

    file: ManifestFile
    addresses: tuple[str, ...]
    target: Path
    verify: Mode = "checksum"

    @property
    def part(self) -> Path:
        """Where its bytes arrive; named by the checksum, so that no other file goes on in it."""
        name = f".{self.target.name}.{self.file.size}-{self.file.adler32}{SUFFIX}"
        return self.target.with_name(name)

    def there(self) -> bool:
        """Whether the whole file is there; what is there under its name is whole."""
        try:
            size = self.target.stat().st_size
        except FileNotFoundError:
            return False
        return self.verify == "none" or size == self.file.size


def download(order: Order, patience: Patience, stop: Event, on_bytes: OnBytes) -> Failure | None:
    """Bring one file to its place; what went wrong if no source has it.

    A file that is there is left alone. Raises DiskFullError if it does not fit, and Cancelled,
    leaving the bytes that have come for the next time, when `stop` is set.
    """
    with open_part(order.part, order.there, stop.is_set) as part:
        if stop.is_set():
            raise Cancelled
        if part is None:
            return None
        try:
            return _from_any(order, part, patience, stop, on_bytes)
        finally:
            if not part.size:
                part.discard()


def _from_any(
    order: Order, part: Part, patience: Patience, stop: Event, on_bytes: OnBytes
) -> Failure | None:
    """Take the file from the first source that has it; else what each of them said."""
    reasons: list[str] = []
    absent = content = True
    for address in order.addresses:
        try:
            _from(address, order, part, patience, stop, on_bytes)
        except SourceFault as fault:
            reasons.append(str(fault))
            absent &= fault.absent
            content &= fault.content
        else:
            part.become(order.target)
            return None
    said = " and ".join(reasons)
    return Failure(order.file.uri, f"{basename(order.file.uri)}: {said}", absent, content)


def _from(
    address: str, order: Order, part: Part, patience: Patience, stop: Event, on_bytes: OnBytes
) -> None:
    """Take from one source what is missing; SourceFault if it cannot give the right file."""
    failed = 0
    if order.verify == "none":  # nothing would tell whether another time or source had this file
        on_bytes(-part.size)
        part.restart()
    anew, most = part.size == 0, part.size
    while True:
        try:
            if order.verify == "none" or part.size < order.file.size:
                _take(address, order, part, patience, stop, on_bytes)
            wrong = _wrong(address, order, part)
        except PassingFault as fault:
            # What several attempts bring together is something new, what one brings again is not.
            failed, most = (1, part.size) if part.size >= most + BLOCK else (failed + 1, most)
            if failed >= patience.attempts:
                raise SourceFault(f"{fault}, {failed} times") from fault
            if stop.wait(patience.pause(failed, fault.wait_s)):
                raise Cancelled from fault
            continue
        if wrong is None:
            return
        on_bytes(-part.size)
        part.restart()
        if anew:
            raise SourceFault(wrong, content=True)
        anew, failed, most = True, 0, 0  # the bytes of an earlier time may have been the wrong ones


def _take(
    address: str, order: Order, part: Part, patience: Patience, stop: Event, on_bytes: OnBytes
) -> None:
    """Read from `address` to the end of the file; PassingFault if it ends before."""
    checked = order.verify != "none"
    with open_stream(address, part.size, patience.timeout_s) as stream:
        if checked and stream.size not in (None, order.file.size):
            raise SourceFault(
                f"expected {order.file.size} bytes at {address}, found a file of {stream.size}",
                content=True,
            )
        if stream.begin != part.size:  # a server without ranges sends everything again
            on_bytes(-part.size)
            part.restart()
        if not checked and part.size and stream.version != part.version:
            on_bytes(-part.size)  # another file than a moment ago, and no checksum would tell
            part.restart()
            raise PassingFault(f"{address} changed while it was read")
        part.version = stream.version
        for block in stream.blocks:
            if stop.is_set():
                raise Cancelled
            if checked and part.size + len(block) > order.file.size:
                on_bytes(-part.size)
                part.restart()
                raise SourceFault(
                    f"expected {order.file.size} bytes at {address}, found more than that",
                    content=True,
                )
            part.append(block)
            on_bytes(len(block))
        promised = order.file.size if checked else stream.size
    if promised is not None and part.size < promised:
        raise PassingFault(f"{address} ended after {part.size} of {promised} bytes")


def _wrong(address: str, order: Order, part: Part) -> str | None:
    """What is wrong with the whole file, as a sentence; None if it is the right one."""
    if order.verify != "checksum" or part.adler32 == order.file.adler32:
        return None
    return f"expected adler32 {order.file.adler32} of the bytes at {address}, found {part.adler32}"
