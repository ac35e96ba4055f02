"""The cache: fetched files in the portal's layout, as many as may be, the least used go first."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.data.fetch.faults import FULL, CacheFullError
from pipeline.data.fetch.part import arrived, common
from pipeline.data.fetch.pins import pinned, promise, promised
from pipeline.data.identity import ATLAS_FOLDER, portal_path
from pipeline.data.locate import OTHER

SPARE = 64 * 1024 * 1024
"""Bytes of the disk that are left to others."""


def default_folder() -> Path:
    """Where fetched files are kept if nothing is said: `ladon/data` in the user's caches (XDG)."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(named) if os.path.isabs(named) else Path.home() / ".cache"
    return base / "ladon" / "data"


@dataclass
class Cache:
    """A folder of fetched files and the most bytes that it may hold.

    What lies under its portal path is the release's, verified by checksum as it came. Anything
    else, files of another manifest or unverified ones, lies on a `shelf` of its own name, so that
    it is never taken for that.
    """

    folder: Path
    limit: int | None = None
    """Bytes; None: as many as the disk has room for."""
    shelf: str = ""
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _promises: dict[Path, Path] = field(default_factory=dict, repr=False)

    def place(self, uri: str) -> Path:
        """Where the file of a manifest's `uri` lies, or will."""
        base = self.folder / OTHER / self.shelf if self.shelf else self.folder
        return base / portal_path(uri)

    def touch(self, files: Iterable[Path]) -> None:
        """Say that `files` are used now; their time of change stays as it is.

        Of those that another user brought into a shared cache only that one can say it.
        """
        now = time.time_ns()
        for file in files:
            with suppress(FileNotFoundError, PermissionError):
                os.utime(file, ns=(now, os.stat(file).st_mtime_ns))

    def check_room(self, total: int, having: int) -> None:
        """CacheFullError if files of `total` bytes, `having` of them there, can never fit."""
        if self.limit is not None and total > self.limit:
            raise CacheFullError(
                f"expected the {_gb(total)} that are asked for to fit into the cache {self.folder}"
                f", found its limit data.cache_gb={self.limit / 1e9:g}; raise it, or ask for less"
            )
        held = sum(size for _, size, _ in self._unpinned())
        free = self._free()
        if total - having > free + held:
            raise CacheFullError(
                f"expected room for {_gb(total - having)} on the disk of the cache {self.folder}, "
                f"found {_gb(free)} free and {_gb(held)} of files that may go; free some space, or "
                "give data.cache=DIR on another disk"
            )

    def make_room(self, part: Path, size: int) -> list[Path]:
        """Evict what was not used for longest until `size` bytes fit at `part`; what was evicted.

        The room stays promised to that partial file until `arrived`, for other processes too: each
        says what it wants before it looks at what others want. Raises CacheFullError if files that
        are in use are in the way.
        """
        with self._guard:
            with _full_or_not():  # room may have to be made for the promise itself
                self._promises[part] = promise(self.folder, part, size)
            wanted = {part: (size, None), **promised(self.folder)}
            coming = sum(max(0, s - arrived(p, pid)) for p, (s, pid) in wanted.items())
            too_many = coming + SPARE - self._free()
            if self.limit is not None:
                held = sum(s for _, s, _ in self._files())
                too_many = max(too_many, held + coming - self.limit)
            try:
                return self._evict(too_many, part)
            except CacheFullError:
                self._withdraw(part)
                raise

    def arrived(self, part: Path) -> None:
        """The room promised to a partial file is taken, or not needed any more."""
        with self._guard:
            self._withdraw(part)

    def _withdraw(self, part: Path) -> None:
        if (path := self._promises.pop(part, None)) is not None:
            path.unlink(missing_ok=True)

    def _evict(self, too_many: int, part: Path) -> list[Path]:
        gone: list[Path] = []
        if too_many <= 0:
            return gone
        for file, size, _ in sorted(self._unpinned(), key=lambda found: (found[2], found[0])):
            if too_many > 0:
                file.unlink(missing_ok=True)
                gone.append(file)
                too_many -= size
        if too_many > 0:
            users = ", ".join(sorted(set(pinned(self.folder).values()))) or "nobody"
            raise CacheFullError(
                f"expected room for {part.name} in the cache {self.folder}, found {_gb(too_many)} "
                f"too little; what is left there is needed by {users}; raise data.cache_gb, free "
                "some space, or wait until those have ended"
            )
        return gone

    def _files(self) -> list[tuple[Path, int, int]]:
        """Every file with its bytes and when it was last used, partial ones included.

        Only those where fetched files go: a folder that is named as cache may hold other files of
        its owner, which are not ours to count or to remove.
        """
        found = []
        for room in (ATLAS_FOLDER, OTHER):
            for base, _, names in os.walk(self.folder / room):
                for name in names:
                    path = Path(base, name)
                    with suppress(FileNotFoundError):
                        status = path.lstat()
                        found.append((path, status.st_size, status.st_atime_ns))
        return found

    def _unpinned(self) -> list[tuple[Path, int, int]]:
        """The files that may go, whole or partial: nobody who works has pinned them.

        The pins are read last: to look at all files takes long enough for others to pin some.
        """
        files = self._files()
        used = pinned(self.folder)
        return [found for found in files if common(found[0]) not in used]

    def _free(self) -> int:
        return shutil.disk_usage(_there(self.folder)).free


@contextmanager
def _full_or_not() -> Iterator[None]:
    """Go on if the disk takes no more during the block."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def bytes_at(path: Path) -> int:
    """Size of the file at `path`; 0 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _gb(size: int) -> str:
    return f"{size / 1e9:.3g} GB"
