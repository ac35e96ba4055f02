"""Entries of a fileset: what is written down of each file, and the chunks that it is cut into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from executors.base import is_remote
from pipeline.data.chunks import Chunk, cut
from pipeline.data.identity import basename
from pipeline.data.locate import Located, Streamed
from pipeline.data.manifest import ManifestFile, Sample
from pipeline.data.probe import Problem, count_entries
from pipeline.data.verify import Mode, verify_file

Progress = Callable[[int, int, int], None]
"""Told (megabytes done, megabytes in all, events counted)."""


@dataclass
class Draft:
    """What has been gathered so far."""

    mode: Mode
    count: bool
    """Whether files are verified and counted now, or by the jobs that convert them."""
    tree: str
    chunk_size: int
    progress: Progress | None
    bookkeepers: bool
    """Whether the files of the release say what was generated (PHYSLITE)."""
    total: int
    """Bytes of all files that are there."""
    done: int = 0
    events: int = 0
    samples: dict[str, Any] = field(default_factory=dict)
    chunks: list[Chunk] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)
    """Sample -> what is wrong with the first of its files that is not what it should be."""

    def advance(self, size: int) -> None:
        """Tell the display that `size` more bytes are done."""
        self.done += size
        if self.progress is not None:
            self.progress(self.done // 1_000_000, self.total // 1_000_000, self.events)


def file_entry(
    sample: Sample, file: ManifestFile, located: Located, draft: Draft, reasons: list[str]
) -> dict[str, Any]:
    """The entry of a file that is here; what keeps its sample from being normalised goes to
    `reasons`."""
    path = located.paths[file.uri]
    if not draft.count:
        verified = verify_file(path, file, "none" if draft.mode == "none" else "size")
        return _uncounted(file, path, path.stat().st_size, verified, draft)
    verified = located.verified.get(file.uri) or verify_file(path, file, draft.mode)
    size = path.stat().st_size
    counted = entries_of(file, path, size, verified, draft.tree)
    return _entry(sample, file, path, size, verified, counted, draft, reasons)


def streamed_entry(
    sample: Sample, file: ManifestFile, found: Streamed, draft: Draft, reasons: list[str]
) -> dict[str, Any]:
    """The entry of a file that is read where it is: its size was verified, its checksum cannot."""
    verified: Mode = "none" if draft.mode == "none" else "size"
    where = found.address
    if found.entries is None:
        return _uncounted(file, where, found.size, verified, draft)
    return _entry(sample, file, where, found.size, verified, found.entries, draft, reasons)


def _entry(
    sample: Sample,
    file: ManifestFile,
    path: Path | str,
    size: int,
    verified: Mode,
    counted: int | Problem,
    draft: Draft,
    reasons: list[str],
) -> dict[str, Any]:
    """One file's entry, and its chunks."""
    problem = counted if isinstance(counted, Problem) else None
    entries = None if isinstance(counted, Problem) else counted
    if problem is not None:
        wrong = problem.message
    elif file.entries is not None and entries != file.entries:
        wrong = f"expected {file.entries} entries in {basename(file.uri)}, found {entries}"
    else:
        wrong = None
    if wrong is not None:
        reasons.append(wrong)
        draft.notes.append(f"sample {sample.name}: {wrong}")
        draft.damaged.setdefault(sample.name, wrong)
    if entries is not None:
        draft.chunks += cut(sample.name, file, path, size, entries, draft.chunk_size)
        draft.events += entries
    draft.advance(size)
    return {
        "uri": file.uri,
        "path": str(path),
        "size": size,
        "adler32": file.adler32,
        "entries": entries,
        "verified": verified,
        "problem": None if problem is None else asdict(problem),
    }


def _uncounted(
    file: ManifestFile, path: Path | str, size: int, verified: Mode, draft: Draft
) -> dict[str, Any]:
    """The entry of a file that a job will verify and count; the entries are the manifest's."""
    draft.advance(size)
    return {
        "uri": file.uri,
        "path": str(path),
        "size": size,
        "adler32": file.adler32,
        "entries": file.entries,
        "verified": verified,
        "problem": None,
    }


def entries_of(
    file: ManifestFile, path: Path | str, size: int, verified: Mode, tree: str
) -> int | Problem:
    """Entries of a file of `size` bytes: from the manifest if it is that file, else counted.

    A file here is that file if its checksum says so, and one on the network if its size does.
    """
    published = size == file.size
    known = published if is_remote(str(path)) else verified == "checksum"
    if known and file.entries is not None:
        return file.entries
    counted = count_entries(path, tree)
    if isinstance(counted, Problem) and counted.kind == "no_tree" and published:
        # The publisher's files of samples of which no event passed the skim hold no tree at all.
        return 0
    return counted
