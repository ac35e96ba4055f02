"""A transfer: many files at a time, each tried to its end, whatever becomes of the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.data.fetch import http
from pipeline.data.fetch.address import addresses
from pipeline.data.fetch.cache import Cache, bytes_at
from pipeline.data.fetch.download import Order, Patience, download
from pipeline.data.fetch.faults import CacheFullError, Cancelled, DiskFullError, Failure
from pipeline.data.fetch.pins import pinned_by_us
from pipeline.data.manifest import ManifestFile
from pipeline.data.verify import Mode

JOBS = 4
"""Files at a time, if nothing is said."""
OnProgress = Callable[[str, int, bool], None]
"""Told (URI, bytes more than before, whether the file is done now)."""


@dataclass(frozen=True)
class Outcome:
    """What became of the files of a transfer."""

    paths: dict[str, Path]
    """URI -> whole file, of those that are there now."""
    fetched: frozenset[str]
    """URIs of those that came this time, verified as was asked for."""
    failures: tuple[Failure, ...]
    evicted: tuple[Path, ...]


@dataclass
class Transfer:
    """How files are brought into a cache."""

    cache: Cache
    sources: tuple[str, ...]
    verify: Mode = "checksum"
    jobs: int = JOBS
    patience: Patience = field(default_factory=Patience)
    stop: threading.Event = field(default_factory=threading.Event)

    def order(self, file: ManifestFile) -> Order:
        """What is to be done for one file."""
        return Order(
            file, addresses(file.uri, self.sources), self.cache.place(file.uri), self.verify
        )

    def place(self, file: ManifestFile) -> Path:
        """Where a file is, or will be."""
        return self.cache.place(file.uri)

    def missing(self, files: Sequence[ManifestFile]) -> list[ManifestFile]:
        """Those of `files` that are not in the cache."""
        return [f for f in files if not self.order(f).there()]

    def left(self, files: Sequence[ManifestFile]) -> int:
        """Bytes of `files` that have to come: without whole files and what partial ones hold."""
        orders = [self.order(f) for f in self.missing(files)]
        return sum(max(0, o.file.size - bytes_at(o.part)) for o in orders)

    def run(self, files: Sequence[ManifestFile], on_progress: OnProgress) -> Outcome:
        """Bring `files` into the cache; those that could not be fetched are in the outcome.

        Raises CacheFullError or DiskFullError if there is no room, after all threads have ended.
        """
        orders = [self.order(f) for f in files]
        total = sum(f.size for f in files)
        keep = [p for o in orders for p in (o.target, o.part)]
        evicted: list[Path] = []
        failures: list[Failure] = []
        self.cache.check_room(total, total - sum(o.file.size for o in orders if not o.there()))
        with (
            closing(http),
            pinned_by_us(self.cache.folder, keep),
            ThreadPoolExecutor(self.jobs) as pool,
        ):
            # Looked at once they are pinned: before that another process may evict what is there.
            needed = [o for o in orders if not o.there()]
            going = {pool.submit(self._one, o, evicted, on_progress): o for o in needed}
            full: DiskFullError | CacheFullError | None = None
            try:
                for future in as_completed(going):
                    try:
                        failure = future.result()
                    except (DiskFullError, CacheFullError) as error:
                        full = full or error
                        self.stop.set()
                    except Cancelled:
                        continue
                    else:
                        failures += [failure] if failure is not None else []
            except BaseException:
                self.stop.set()  # the threads end at their next block, and leave their bytes
                pool.shutdown(cancel_futures=True)
                raise
            if full is not None:
                raise full
            self.cache.touch(o.target for o in orders)
        failed = {f.uri for f in failures}
        return Outcome(
            {o.file.uri: o.target for o in orders if o.file.uri not in failed},
            frozenset(o.file.uri for o in needed) - failed,
            tuple(sorted(failures, key=lambda f: f.uri)),
            tuple(evicted),
        )

    def _one(self, order: Order, evicted: list[Path], on_progress: OnProgress) -> Failure | None:
        uri = order.file.uri
        if self.stop.is_set():
            raise Cancelled
        evicted += self.cache.make_room(order.part, order.file.size)
        try:
            failure = download(
                order, self.patience, self.stop, lambda n: on_progress(uri, n, False)
            )
        finally:
            self.cache.arrived(order.part)
        on_progress(uri, 0, failure is None)
        return failure
