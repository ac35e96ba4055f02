"""The words of execution: a chunk of events, a task for it, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

FaultKind = Literal[
    "file",  # missing, empty, truncated or corrupt
    "tree",  # no such tree in the file
    "branch",  # the tree lacks a branch that the release should have
    "solution",  # the code that was asked to do the work failed
    "memory",  # more memory was needed than a worker may use
    "system",  # a disk or a network failed; may go away
    "worker",  # the worker process died; may go away
    "internal",  # a fault of our own code
]
"""Whose fault a failed chunk is: `file`, `tree` and `branch` are the data's."""

TREES = ("TTree", "ROOT::RNTuple")
"""Classes of what holds events in a ROOT file."""

DATA_FAULTS: frozenset[FaultKind] = frozenset({"file", "tree", "branch"})

_REMOTE = re.compile(r"(root|https?|davs?)://", re.IGNORECASE)


def is_remote(location: str) -> bool:
    """Whether a location is an address on the network, and not a path."""
    return _REMOTE.match(location) is not None


@dataclass(frozen=True)
class Chunk:
    """The entries [start, stop) of one tree of one file."""

    id: str
    sample: str
    path: str
    tree: str
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Cost:
    """What a chunk took of the process that did it, and of the sandboxes that worked for it."""

    cpu_s: float
    """Processor seconds, user and system. What else runs stretches them less than the clock's:
    up to about twofold where it shares the caches (seen on 2 cores, beside 8 busy processes).
    """
    first: bool
    """Of its process: with what starting it and loading everything took."""
    opened: bool
    """Whether the file had to be opened; it stays open for the chunks after."""
    max_rss_mb: float
    """Largest resident memory of the process so far."""


@dataclass(frozen=True)
class Ok:
    """A chunk that was done, and the JSON-able record that its task returned."""

    chunk: Chunk
    value: dict[str, Any]
    attempts: int = 1
    cost: Cost | None = None
    """Of the attempt that did it."""


@dataclass(frozen=True)
class Err:
    """A chunk that could not be done, and a sentence that says why and what to do next."""

    chunk: Chunk
    kind: FaultKind
    message: str
    exception: str = ""
    """Name of the exception's class."""
    traceback: str = ""
    attempts: int = 1


Result: TypeAlias = Ok | Err
OnResult: TypeAlias = Callable[[Result], None]


class TaskError(Exception):
    """What a task raises to say whose fault its failure is; `__cause__` is the fault itself."""

    def __init__(self, kind: FaultKind, message: str) -> None:
        super().__init__(message)
        self.kind: FaultKind = kind


class Task(Protocol):
    """What is done with each chunk; it must survive pickling."""

    @property
    def branches(self) -> Sequence[str]:
        """Branches of the tree to read (as the file spells them); asked for in the worker only.

        A name that ends in `?` is read where the tree has it.
        """

    def __call__(self, events: Any, chunk: Chunk) -> dict[str, Any]:
        """Do the work: `events` holds exactly the branches, one row per entry of the chunk."""


Self = TypeVar("Self", bound="ChunkExecutor")


class ChunkExecutor(Protocol):
    """A place where chunks are worked on; used as a context, so that no process is left over."""

    workers: int

    def map(
        self, chunks: Sequence[Chunk], task: Task, on_result: OnResult | None = None
    ) -> list[Result]:
        """Do every chunk; a fault of one never stops the others.

        The results come in the order of `chunks`. `on_result` is called once per chunk, in this
        process, as soon as its result is there.
        """

    def __enter__(self: Self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class ExecutorError(ValueError):
    """An executor was asked for that does not exist or makes no sense."""
