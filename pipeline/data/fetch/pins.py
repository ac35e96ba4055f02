"""Pins: which files of a cache are in use, by whom, and whether those still work."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from pipeline.files import RunFileError, read_json, write_json

FOLDER = ".ladon-pins"
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
    told = {
        "host": owner.host,
        "pid": owner.pid,
        "name": owner.name,
        "since": time.time(),
        "files": names,
    }
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
        told = _read(path)
        if told is None:
            continue
        owner = Owner(told["host"], told["pid"], told["name"])
        if owner.works(told["since"]):
            found |= {cache / name: owner.name for name in told["files"]}
        else:
            path.unlink(missing_ok=True)
    return found


def _read(path: Path) -> dict[str, Any] | None:
    """A pin; None if it was taken away meanwhile or is none."""
    try:
        told = read_json(path)
    except (FileNotFoundError, RunFileError):
        return None
    return told if isinstance(told, dict) and "files" in told else None
