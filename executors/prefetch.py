"""Reading ahead: while a chunk of a file on the network is worked on, the next one is on its way.

A worker can only read ahead what will be its own. Chunks on the network are therefore given out in
runs, and each chunk of a run names the one that follows it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from itertools import groupby
from typing import Generic, TypeVar

from executors.base import Chunk, is_remote

MOST = 8
"""Chunks that one worker is given at a time: all that is done again if it dies."""
RUNS_PER_WORKER = 3
"""There are at least as many runs for each worker, so that none waits long for the last."""

Thing = TypeVar("Thing")


def most_together(chunks: int, workers: int) -> int:
    """Chunks on the network that one of `workers` is given at a time."""
    return max(1, min(MOST, chunks // (RUNS_PER_WORKER * workers)))


def runs_of(chunks: Sequence[Chunk], most: int) -> list[list[Chunk]]:
    """The chunks in their order, in runs that one worker does one after the other.

    Those on the network are together, at most `most`, and a file is cut only where it has more;
    any other chunk is alone.
    """
    runs: list[list[Chunk]] = []
    opened = False
    for path, own in groupby(chunks, key=lambda chunk: chunk.path):
        of_file, size = list(own), most if is_remote(path) else 1
        for start in range(0, len(of_file), size):
            piece = of_file[start : start + size]
            if opened and len(runs[-1]) + len(piece) <= size:
                runs[-1] += piece
            else:
                runs.append(piece)
            opened = is_remote(path)
    return runs


class Ahead(Generic[Thing]):
    """The one thing that a process gets before it is asked for, in a thread of its own.

    `drop` is called with a thing that nobody came for.
    """

    def __init__(self, drop: Callable[[Thing], None]) -> None:
        self._drop = drop
        self._key: Hashable = None
        self._future: Future[Thing] | None = None

    def start(self, key: Hashable, get: Callable[[], Thing]) -> None:
        """Begin to get what is called `key`; anything else that was begun is forgotten."""
        if self._future is not None and self._key == key:
            return
        self.forget()
        self._key, self._future = key, Future()
        # A daemon, so that a worker which is told to end does not wait for a server.
        threading.Thread(target=_fill, args=(self._future, get), name="ahead", daemon=True).start()

    def take(self, key: Hashable) -> Thing | None:
        """What is called `key`, once it is there; None if it was not begun, or could not be had.

        Why it could not be had is not told: whoever needs it gets it by themselves, and meets the
        same error or none.
        """
        if self._future is None or self._key != key:
            return None
        future, self._future = self._future, None
        return None if future.exception() is not None else future.result()

    def forget(self) -> None:
        """Give up what was begun; it is dropped as soon as it is there."""
        future, self._future = self._future, None
        if future is not None:
            future.add_done_callback(self._drop_result)

    def _drop_result(self, future: Future[Thing]) -> None:
        if future.exception() is None:
            self._drop(future.result())


def _fill(future: Future[Thing], get: Callable[[], Thing]) -> None:
    try:
        future.set_result(get())
    except BaseException as error:  # noqa: BLE001  (whoever waits must not wait for ever)
        future.set_exception(error)
