"""Pins: which files of a cache are in use, by whom, and whether those still work.

And promises: how much room is kept for files that are on their way, by every process.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from pipeline.files import RunFileError, read_json, write_json

FOLDER = ".ladon-pins"
PROMISE = ".promise"
ELSEWHERE_S = 7 * 24 * 3600.0
"""How long the pins of a process on another host hold: we cannot see whether it works."""


@dataclass(frozen=True)
class Owner:
    """A process that needs files: a fetch, or the `ladon run` that a step works for."""

    host: str
    pid: int
    name: str
    """What the pin is called: the run's folder, or the process itself."""

    @classmethod
    def ourselves(cls) -> Owner:
        """This process."""
        host, pid = socket.gethostname(), os.getpid()
        return cls(host, pid, f"{host}-{pid}")

    @classmethod
    def of_run(cls, run: Path) -> Owner:
        """The process that holds the lock of a run; this process if none does."""
        here = cls.ourselves()
        try:
            held = read_json(run / ".lock")
            return cls(str(held["host"]), int(held["pid"]), str(run.resolve()))
        except (OSError, RunFileError, LookupError, TypeError, ValueError):
            return here

    def works(self, since: float) -> bool:
        """Whether the owner of a pin made at time `since` still works."""
        if self.host != socket.gethostname():
            return time.time() - since < ELSEWHERE_S
        try:
            return psutil.Process(self.pid).create_time() <= since
        except psutil.NoSuchProcess:
            return False


def pin(cache: Path, owner: Owner, files: Iterable[Path], kind: str = "") -> Path:
    """Keep `files` of the cache from being evicted while `owner` works; the pin's own file.

    Other files of the same owner and kind stay pinned: a run has several filesets.
    """
    names = sorted(os.path.relpath(f, cache) for f in files)
    told = {**asdict(owner), "since": time.time(), "files": names}
    digest = hashlib.sha256("\n".join([owner.name, kind, *names]).encode()).hexdigest()[:20]
    path = cache / FOLDER / f"{digest}.json"
    write_json(path, told)
    return path


@contextmanager
def pinned_by_us(cache: Path, files: Iterable[Path]) -> Iterator[None]:
    """Keep `files` from being evicted during the block."""
    path = pin(cache, Owner.ourselves(), files, f"transfer {time.monotonic_ns()}")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def pinned(cache: Path) -> dict[Path, str]:
    """File -> who needs it; pins whose owner is gone are forgotten."""
    found: dict[Path, str] = {}
    for path in sorted((cache / FOLDER).glob("*.json")):
        told = _working(path)
        if told is not None:
            found |= {cache / name: told["name"] for name in told["files"]}
    return found


def promise(cache: Path, part: Path, size: int) -> Path:
    """Keep room for `size` bytes at the partial file `part` while this process works."""
    owner, name = Owner.ourselves(), os.path.relpath(part, cache)
    told = {**asdict(owner), "since": time.time(), "files": [name], "size": size}
    digest = hashlib.sha256(f"{owner.name}\n{name}".encode()).hexdigest()[:20]
    path = cache / FOLDER / f"{digest}{PROMISE}"
    write_json(path, told)
    return path


def promised(cache: Path) -> dict[Path, tuple[int, int | None]]:
    """Partial file -> its bytes once it is whole, and the process of this host that brings it."""
    found: dict[Path, tuple[int, int | None]] = {}
    for path in sorted((cache / FOLDER).glob(f"*{PROMISE}")):
        told = _working(path)
        if told is not None:
            here = told["host"] == socket.gethostname()
            found[cache / told["files"][0]] = told["size"], told["pid"] if here else None
    return found


def _working(path: Path) -> dict[str, Any] | None:
    """A pin or a promise; None if its owner is gone, and then it is forgotten."""
    told = _read(path)
    if told is None:
        return None
    if Owner(told["host"], told["pid"], told["name"]).works(told["since"]):
        return told
    path.unlink(missing_ok=True)
    return None


def _read(path: Path) -> dict[str, Any] | None:
    """A pin; None if it was taken away meanwhile or is none."""
    try:
        told = read_json(path)
    except (FileNotFoundError, RunFileError):
        return None
    return told if isinstance(told, dict) and "files" in told else None
