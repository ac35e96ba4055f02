"""The record of a stage's rounds: one line per step, on disk before the next step begins."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agents.chat import first_difference
from agents.errors import TrajectoryError

TRAJECTORY_SCHEMA = 1
ASIDE = ("fault", "repair")
"""Kinds of lines that say what happened to the machinery; no part of what was said and tried."""


@dataclass(frozen=True)
class Entry:
    """One step: its kind, its content, and the circumstances (times, ids) that no hash counts."""

    kind: str
    content: Mapping[str, Any]
    circumstances: Mapping[str, Any]

    @property
    def line(self) -> bytes:
        """The entry as one line of ASCII JSON."""
        record = {"kind": self.kind, **self.content, "circumstances": self.circumstances}
        return json.dumps(record, sort_keys=True, allow_nan=False).encode() + b"\n"


def now() -> str:
    """This moment in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Trajectory:
    """A journal that is written once and read again when its process was killed.

    Steps are taken through it in a fixed order. While recorded steps are left it gives them back
    and demands that they are the same as before; then it appends, and each line is on disk
    (fsync) before the step's result is used. So a process that was killed at any moment begins
    again, is given everything that was answered, and goes on where it stopped. Only a request
    that was under way at that moment is made, and maybe paid for, once more.
    """

    def __init__(self, path: Path | str, clock: Callable[[], str] = now) -> None:
        """Open, or begin, the trajectory at `path`; a last line that was cut is removed.

        Raises TrajectoryError if the file is damaged elsewhere, or another process writes it.
        """
        self.path = Path(path)
        self._clock = clock
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._handle = os.open(self.path, flags, 0o644)
        try:
            self._lock()
            _sync_folder(self.path.parent)
            cut = _repair(self._handle)
            self._recorded = deque(e for e in read_entries(self.path) if e.kind not in ASIDE)
        except BaseException:
            os.close(self._handle)
            raise
        if cut:
            self.note("repair", {"removed_bytes": cut, "reason": "the last line was cut"})

    @property
    def resumed(self) -> bool:
        """Whether recorded steps are left to be given back."""
        return bool(self._recorded)

    def record(
        self, kind: str, content: Mapping[str, Any], circumstances: Mapping[str, Any] | None = None
    ) -> None:
        """Take the step `kind` with this content; TrajectoryError if another one was recorded."""
        plain: dict[str, Any] = json.loads(json.dumps(content, allow_nan=False))
        found = self.recall(kind)
        if found is None:
            self._append(Entry(kind, plain, {**(circumstances or {}), "at": self._clock()}))
        elif found.content != plain:
            raise TrajectoryError(
                f"expected the step {kind!r} as recorded in '{self.path}', found another one: "
                f"{_difference(found.content, plain)}; the task, the prompts or the settings have "
                "changed since: delete the file to begin anew"
            )

    def recall(self, kind: str) -> Entry | None:
        """The next recorded step, which must be a `kind`; None if all were given back."""
        if not self._recorded:
            return None
        entry = self._recorded.popleft()
        if entry.kind != kind:
            raise TrajectoryError(
                f"expected the step {kind!r} next in '{self.path}', found {entry.kind!r}; the file "
                "was written by other code: delete it to begin anew"
            )
        return entry

    def note(self, kind: str, content: Mapping[str, Any]) -> None:
        """Append a line about the machinery (see ASIDE); a resume passes over it."""
        self._append(Entry(kind, content, {"at": self._clock()}))

    def close(self) -> None:
        """Close the file and let others write it."""
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, entry: Entry) -> None:
        line = entry.line
        while line:
            line = line[os.write(self._handle, line) :]
        os.fsync(self._handle)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrajectoryError(
                f"expected to be the only one who writes '{self.path}', found another process at "
                "it; wait until it has ended"
            ) from None


def read_entries(path: Path | str) -> list[Entry]:
    """All steps in the file `path`; TrajectoryError names the line that is none."""
    entries = []
    for number, line in enumerate(Path(path).read_bytes().split(b"\n"), start=1):
        if line:
            record = _parsed(line)
            if record is None:
                raise TrajectoryError(
                    f"expected a step in line {number} of '{path}', found {line[:60]!r}; the file "
                    "is damaged: delete it to begin anew"
                )
            circumstances = record.pop("circumstances")
            entries.append(Entry(record.pop("kind"), record, circumstances))
    return entries


def content_sha256(path: Path | str) -> str:
    """SHA-256 over what was asked, answered and tried: no times, ids, faults or repairs."""
    digest = hashlib.sha256()
    for entry in read_entries(path):
        if entry.kind not in ASIDE:
            digest.update(Entry(entry.kind, entry.content, {}).line)
    return digest.hexdigest()


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(record, dict) and {"kind", "circumstances"} <= set(record)
    return record if whole else None


def _repair(handle: int) -> int:
    """Remove a last line that was cut, or complete one that lacks its end; bytes removed."""
    size = os.fstat(handle).st_size
    content = os.pread(handle, size, 0)
    kept = content.rstrip(b"\n")
    start = kept.rfind(b"\n") + 1
    last = kept[start:]
    if not last:
        return 0
    if _parsed(last) is None:
        os.ftruncate(handle, start)
        os.fsync(handle)
        return size - start
    if not content.endswith(b"\n"):
        os.write(handle, b"\n")
        os.fsync(handle)
    return 0


def _sync_folder(folder: Path) -> None:
    """Put a folder's list of files on disk, so that a new file survives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _difference(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The first member that differs, in words."""
    for name in sorted(set(recorded) | set(found)):
        old, new = recorded.get(name), found.get(name)
        if old != new:
            if name == "messages" and old and new:
                return first_difference(old, new)
            return f"{name} was {str(old)[:120]!r} and is {str(new)[:120]!r}"
    return "nothing that can be named"
