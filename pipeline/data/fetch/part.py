"""A partial file: bytes that have arrived beside where the whole file will be, and their hash."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.data.fetch.faults import FULL, DiskFullError
from pipeline.data.identity import format_adler32

SUFFIX = ".part"
_READ = 4 * 1024 * 1024
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP})
"""System errors of a file system that cannot lock files."""
_OWN = re.compile(rf"(?<={re.escape(SUFFIX)})\.\d+-\d+$")
"""What a process adds to the name of a partial file that it cannot lock."""
_LOOK_S = 0.2
"""Seconds between two looks at a partial file that another process works on."""


def common(path: Path) -> Path:
    """The partial file that one with a process's own name stands for; any other path as it is."""
    return path.with_name(_OWN.sub("", path.name))


def arrived(part: Path, pid: int | None = None) -> int:
    """Bytes of a partial file, or of the one of a process's own name (default: of this one)."""
    with suppress(FileNotFoundError):
        return part.stat().st_size
    ours = f"{part.name}.{pid or os.getpid()}-"
    with suppress(FileNotFoundError), os.scandir(part.parent) as entries:
        return sum(e.stat().st_size for e in entries if e.name.startswith(ours))
    return 0


class Part:
    """The bytes of a file that are there, from its first one on, and their running Adler-32.

    Nothing is kept beside the bytes: what an earlier process left is hashed again when it is taken
    up, so that bytes and checksum cannot disagree.
    """

    def __init__(self, path: Path, handle: BinaryIO) -> None:
        self.path = path
        self._handle = handle
        self.size = 0
        self.version: str | None = None
        """What the source calls the version that these bytes are of; None if it has not said."""
        self._adler32 = 1
        handle.seek(0)
        while block := handle.read(_READ):
            self._count(block)

    @property
    def adler32(self) -> str:
        """Checksum of the bytes that are there, as eight lower-case hex digits."""
        return format_adler32(self._adler32)

    def append(self, block: bytes) -> None:
        """Add bytes at the end; DiskFullError if they do not fit."""
        with self._room():
            self._handle.seek(self.size)
            rest = memoryview(block)
            while rest:
                rest = rest[self._handle.write(rest) :]
        self._count(block)

    def restart(self) -> None:
        """Forget every byte."""
        self._handle.truncate(0)
        self.size, self.version, self._adler32 = 0, None, 1

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self._handle.truncate(0)
        self.path.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Make the bytes the file `target`: whole for every reader, or not there.

        DiskFullError if they do not fit: a network file system may say so only here.
        """
        with self._room():
            os.fsync(self._handle.fileno())
        self.path.chmod(0o644)
        os.replace(self.path, target)

    @contextmanager
    def _room(self) -> Iterator[None]:
        """DiskFullError, and nothing left behind, if the disk takes no more during the block."""
        try:
            yield
        except OSError as error:
            if error.errno not in FULL:
                raise
            self.discard()
            raise DiskFullError(
                f"expected room for {self.path.parent.name}/{self.path.name} in "
                f"{self.path.parent}, found the disk full ({error.strerror}); free some space or "
                "give data.cache=DIR on another disk"
            ) from error

    def _count(self, block: bytes) -> None:
        self.size += len(block)
        self._adler32 = zlib.adler32(block, self._adler32)


@contextmanager
def open_part(
    path: Path, done: Callable[[], bool], cancelled: Callable[[], bool]
) -> Iterator[Part | None]:
    """The partial file at `path`, for this process alone; None if it is not needed any more.

    While another process works on it we wait: either `done` becomes true, which means that the
    other one has finished the file, or the other one ends and we go on where it stopped.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _locked(path, done, cancelled)
    if handle is None:
        yield None
        return
    with handle:
        yield Part(Path(handle.name), handle)


def _locked(path: Path, done: Callable[[], bool], cancelled: Callable[[], bool]) -> BinaryIO | None:
    while not (done() or cancelled()):
        handle = _open(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            time.sleep(_LOOK_S)
            continue
        except OSError as error:
            handle.close()
            if error.errno not in _NO_LOCKS:
                raise
            with suppress(FileNotFoundError):
                if not path.stat().st_size:  # one of us made it, and nobody can lock it
                    path.unlink()
            # No two processes may write one file: ours has a name of its own, and is not resumed.
            return _open(path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}"))
        if _is_at(handle, path):
            if not done():
                return handle
            path.unlink()
        handle.close()  # it was renamed or removed while we waited for it
    return None


def _open(path: Path) -> BinaryIO:
    """`path` to read and write, made if it is not there.

    Without a buffer: what was written is in the file, and a full disk says so at once.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return cast(BinaryIO, path.open("r+b", buffering=0))


def _is_at(handle: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
