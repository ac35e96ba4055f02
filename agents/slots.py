"""A limit on the requests under way to one endpoint, across threads and across processes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.errors import SlotError

_POLL_S = 0.02
_LONGEST_POLL_S = 0.1
_semaphores: dict[tuple[str, int], threading.BoundedSemaphore] = {}
_guard = threading.Lock()


@dataclass(frozen=True)
class EndpointSlots:
    """At most `limit` requests to `endpoint` at a time.

    With a folder the slots are locked files in it, which all processes share that are given the
    same folder (also on other nodes, where the file system has flock); the kernel frees the slot
    of a process that dies. Without one they are a semaphore of this process.
    """

    endpoint: str
    limit: int
    folder: Path | None = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Wait for a free slot and hold it for the length of the block."""
        if self.folder is None:
            with _semaphore(self.endpoint, self.limit):
                yield
            return
        handle = self._acquire(self.folder)
        try:
            yield
        finally:
            os.close(handle)

    def _acquire(self, folder: Path) -> int:
        name = hashlib.sha256(self.endpoint.encode()).hexdigest()[:16]
        pause = _POLL_S
        while True:
            for number in range(self.limit):
                handle = _locked(folder / f"{name}.{number}.slot")
                if handle is not None:
                    return handle
            time.sleep(pause)
            pause = min(_LONGEST_POLL_S, 1.5 * pause)


def _semaphore(endpoint: str, limit: int) -> threading.BoundedSemaphore:
    with _guard:
        return _semaphores.setdefault((endpoint, limit), threading.BoundedSemaphore(limit))


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock of `path`; None if someone else holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SlotError(
            f"expected a folder for the slots of an endpoint, found {error.strerror!r} at "
            f"'{path}'; name one that can be written"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError as error:
        os.close(handle)
        raise SlotError(
            f"expected a file system with flock at '{path.parent}', found {error.strerror!r}; "
            "name a folder on another file system, or mount this one with flock"
        ) from error
    return handle
