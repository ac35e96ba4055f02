"""How much there is: files, events and bytes of skims, of releases, and of all that is open."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.data.manifest import Manifest, Skim

UNITS = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


@dataclass(frozen=True)
class Total:
    """Files, events and bytes, of which some files may be known by their number only."""

    files: int
    """All that are published."""
    unresolved: int
    """Of these, not known one by one before the indexes of their runs are fetched."""
    unlisted: int
    """Of these, in no list at hand at all (generator-level files)."""
    events: int | None
    """None where no source says, or only of some."""
    bytes: int
    rounded: int = 1
    """`bytes` is known to multiples of this many."""

    @property
    def resolved(self) -> int:
        """Files that are known one by one."""
        return self.files - self.unresolved - self.unlisted

    @property
    def size(self) -> str:
        """Bytes as people write them, with no more digits than are known."""
        return size_text(self.bytes, self.rounded)


def of_skim(skim: Skim) -> Total:
    """What the files of a skim sum to, as far as they are known."""
    files = skim.files
    events = [f.entries for f in files if f.entries is not None]
    whole = len(events) == len(files) and all(s.resolved for s in skim.samples.values())
    return Total(len(files), 0, 0, sum(events) if whole else None, sum(f.size for f in files))


def of_release(manifest: Manifest) -> Total:
    """What the publisher says of a release, and how much of it is known file by file.

    Of a release whose runs are all resolved, which its publisher has only stated, what their
    indexes list is counted; see `contradiction`.
    """
    said = manifest.published["total"]
    files = [f for s in manifest.skims.values() for f in s.files]
    if len(files) != said.files and _resolved(manifest):
        return Total(len(files), 0, 0, None, sum(f.size for f in files))
    return Total(said.files, said.files - len(files), 0, said.events, said.bytes, said.rounded)


def contradiction(manifest: Manifest) -> str | None:
    """What is wrong if the files of all runs are not as many as the publisher says; else None."""
    said, found = manifest.published["total"].files, of_release(manifest).files
    if said == found:
        return None
    return (
        f"expected {said:,} files of {manifest.release} as the publisher states, found {found:,} "
        "with those in the indexes of all its runs; ask the portal which is right"
    )


def _resolved(manifest: Manifest) -> bool:
    return all(s.resolved for skim in manifest.skims.values() for s in skim.samples.values())


def of_skims(manifest: Manifest) -> dict[str, Total]:
    """Totals by skim; the only skim of a release has also what is not resolved."""
    if len(manifest.skims) == 1:
        return dict.fromkeys(manifest.skims, of_release(manifest))
    return {name: of_skim(skim) for name, skim in manifest.skims.items()}


def together(totals: Iterable[Total]) -> Total:
    """The sum of several totals; its events are known if all are."""
    found = list(totals)
    events = [t.events for t in found if t.events is not None]
    return Total(
        files=sum(t.files for t in found),
        unresolved=sum(t.unresolved for t in found),
        unlisted=sum(t.unlisted for t in found),
        events=sum(events) if len(events) == len(found) else None,
        bytes=sum(t.bytes for t in found),
        rounded=max((t.rounded for t in found), default=1),
    )


def unlisted(files: int, events: int | None, size: int, rounded: int) -> Total:
    """Files that are published and in no list at hand."""
    return replace(Total(files, 0, files, events, size), rounded=rounded)


def size_text(size: int, rounded: int = 1) -> str:
    """A number of bytes in the largest decimal unit, with at most two digits after the point."""
    name, unit = next(((n, u) for n, u in UNITS if size >= u), ("B", 1))
    known = int(math.log10(unit / rounded)) if unit > rounded else 0
    return f"{size / unit:.{min(2, known)}f} {name}"


def count_text(count: int | None) -> str:
    """A count with its thousands set apart; a dash where it is not known."""
    return "–" if count is None else f"{count:,}"


def data_and_simulated(skim: Skim) -> tuple[int, int]:
    """Numbers of data samples and of simulated samples of a skim."""
    data = sum(s.kind == "data" for s in skim.samples.values())
    return data, len(skim.samples) - data
