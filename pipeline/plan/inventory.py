"""What there is to read: files, bytes and events of a channel's samples or of a whole release."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.data.chosen import expanded
from pipeline.data.manifest import Manifest, ManifestFile, Sample, Skim
from pipeline.data.share import number_in, share_of
from pipeline.files import read_json
from pipeline.plan.amount import Amount, total
from pipeline.plan.branches import branch_table
from pipeline.settings import Settings

RECORDS = Path(__file__).with_name("records.json")
"""Numbers of events of whole skims that the publisher's records give."""


@dataclass(frozen=True)
class Hidden:
    """What is known of files that are listed by the indexes of their runs alone."""

    files: int
    size: Amount
    events: Amount


@dataclass(frozen=True)
class Part:
    """The files of one kind, data or mc, of one skim."""

    release: str
    skim: str
    kind: str
    samples: tuple[Sample, ...]
    hidden: Hidden | None = None
    """Of samples that are not resolved."""

    @property
    def files(self) -> list[ManifestFile]:
        return [f for s in self.samples for f in s.files]


@dataclass(frozen=True)
class Inventory:
    """What one part, or several, add up to."""

    kind: str
    files: int
    size: Amount
    """Bytes on disk."""
    events: Amount
    counted: int
    """Files of which a source says the entries."""
    unresolved: int = 0
    """Files that are listed by their run's index alone: in `files`, without a name so far."""

    def plain(self) -> dict[str, Any]:
        """The inventory as JSON types."""
        return {
            "kind": self.kind, "files": self.files, "bytes": self.size.plain(),
            "events": self.events.plain(), "files_with_known_entries": self.counted,
            "files_unresolved": self.unresolved,
        }  # fmt: skip


def channel_parts(settings: Settings, manifest: Manifest) -> list[Part]:
    """The samples that the channel asks for, data first."""
    skim = manifest.skim(settings.channel.skim)
    wanted = [
        name
        for process in settings.channel.processes.values()
        for name in expanded(process.samples, skim.samples)
    ]
    parts = _parts(manifest, skim, [skim.sample(name) for name in dict.fromkeys(wanted)])
    share = settings.data.share
    if share == "all":
        return parts
    chosen: set[str] = set()
    for process in settings.channel.processes.values():
        own = [skim.sample(name) for name in expanded(process.samples, skim.samples)]
        chosen |= share_of([f.uri for s in own for f in s.files], share)
    return [_part_of(part, chosen, share) for part in parts]


def release_parts(manifest: Manifest) -> list[Part]:
    """Every sample of every skim that the manifest lists."""
    return [
        p for skim in manifest.skims.values() for p in _parts(manifest, skim, skim.samples.values())
    ]


def inventory(part: Part) -> Inventory:
    """What a part adds up to; events where a source says, else estimated from the size."""
    files, hidden = part.files, part.hidden
    size = Amount.exact(sum(f.size for f in files), "manifest")
    return Inventory(
        part.kind,
        len(files) + (hidden.files if hidden else 0),
        total([size, hidden.size]) if hidden and files else hidden.size if hidden else size,
        events_of(part),
        sum(f.entries is not None for f in files),
        hidden.files if hidden else 0,
    )


def published(manifest: Manifest) -> list[Inventory]:
    """What the publisher says of a whole release by kind, and last of all of it together."""
    listed = {
        kind: [f for p in release_parts(manifest) if p.kind == kind for f in p.files]
        for kind in ("data", "mc")
    }
    listed["total"] = [f for files in listed.values() for f in files]
    found = []
    for kind in ("data", "mc", "total"):
        said = manifest.published.get(kind)
        if said is None:
            continue
        events = (
            Amount.unknown(f"no source says the events of {kind}")
            if said.events is None
            else Amount.exact(said.events, said.source)
        )
        size = Amount(said.bytes, said.bytes, said.bytes, said.source)
        if said.rounded > 1:
            half = said.rounded / 2
            size = Amount(said.bytes, said.bytes - half, said.bytes + half, said.source)
        files = listed[kind]
        counted = sum(f.entries is not None for f in files)
        found.append(Inventory(kind, said.files, size, events, counted, said.files - len(files)))
    return found


def together(kind: str, inventories: Sequence[Inventory]) -> Inventory:
    """The sum of several."""
    return Inventory(
        kind, sum(i.files for i in inventories), total(i.size for i in inventories),
        total(i.events for i in inventories),
        sum(i.counted for i in inventories), sum(i.unresolved for i in inventories),
    )  # fmt: skip


def events_of(part: Part) -> Amount:
    """Entries of all files of a part: of those that are known one by one, and of the others."""
    if part.hidden is None:
        return _listed_events(part)
    return total([_listed_events(part), part.hidden.events]) if part.files else part.hidden.events


def _listed_events(part: Part) -> Amount:
    """Entries of the files that are known one by one.

    Where the manifest does not have all of them: the publisher's total for just these files, else
    the bytes of the files without a number times events per byte of those with one, of the same
    kind first, else of the files that the table of branches was measured on.
    """
    files = part.files
    known = [f for f in files if f.entries is not None]
    unknown = sum(f.size for f in files if f.entries is None)
    counted = sum(f.entries or 0 for f in known)
    if not unknown:
        return Amount.exact(counted, "manifest")
    for record in _records():
        whole = (record["release"], record["skim"], record["kind"], record["files"], record["size"])
        if whole == (part.release, part.skim, part.kind, len(files), sum(f.size for f in files)):
            return Amount.exact(record["events"], record["source"])
    estimated = events_per_byte(part).times(unknown)
    return total([Amount.exact(counted, "manifest"), estimated]) if counted else estimated


def events_per_byte(part: Part) -> Amount:
    """Events per byte of a part's files, for those whose entries no source says."""
    known = [f for f in part.files if f.entries and f.size > SMALL]
    if known:
        how = f"estimate from bytes, by {len(known)} file(s) of the same kind with known entries"
        values = [(f.entries or 0) / f.size for f in known]
        return Amount.spread(values, how) if len(known) > 2 else _few(values, how)
    table = branch_table(part.release)
    if table is None:
        return Amount.unknown(f"no source says the entries of release {part.release}")
    measured = [f for f in table.files if f.kind == part.kind] or list(table.files)
    same = [f for f in measured if f.skim == part.skim] or measured
    return _few(
        [1 / f.bytes_per_event for f in same],
        "estimate from bytes, by the files that the table of branches was measured on",
    )


SMALL = 1_000_000
"""Bytes of a file of which a good part is its header: no measure of bytes per event."""
FEW = 1.3
"""Factor to which one or two files are taken to give the bytes per event of all others: between
periods and processes pile-up and content differ so much in the files at hand."""


def _few(values: Sequence[float], how: str) -> Amount:
    middle = Amount.spread(values, how)
    return Amount(middle.value, (middle.low or 0) / FEW, (middle.high or 0) * FEW, middle.how)


def _part_of(part: Part, chosen: set[str], share: str) -> Part:
    """The part with the chosen files, and of those that are not resolved as large a share.

    A sample of which no file is chosen is not in it; one that has none to choose is.
    """
    shared = ((s, tuple(f for f in s.files if f.uri in chosen)) for s in part.samples)
    samples = tuple(replace(s, files=files) for s, files in shared if files or not s.files)
    hidden = part.hidden
    if hidden is not None:
        number = number_in(hidden.files, share)
        size, events = (a.times(number / hidden.files) for a in (hidden.size, hidden.events))
        hidden = Hidden(number, size, events)
    return replace(part, samples=samples, hidden=hidden)


def _hidden(manifest: Manifest, skim: Skim, samples: Sequence[Sample]) -> Hidden | None:
    """The share of the publisher's total of this kind that belongs to unresolved samples.

    What the total has more than all files that are known is that of all unresolved samples; some
    of them get the share that their indexes have of the bytes of all indexes.
    """
    own = [s for s in samples if not s.resolved]
    if not own:
        return None
    kind = own[0].kind
    every = [s for s in skim.samples.values() if s.kind == kind]
    said = manifest.published[kind]
    known = [f for s in every for f in s.files]
    weight, all_of_them = (
        sum(i.size for s in some for i in s.indexes)
        for some in (own, [s for s in every if not s.resolved])
    )
    files = said.files - len(known)
    size = Amount.exact(said.bytes - sum(f.size for f in known), said.source)
    events = Amount.unknown(f"no source says the events of {kind}")
    if said.events is not None and all(f.entries is not None for f in known):
        events = Amount.exact(said.events - sum(f.entries or 0 for f in known), said.source)
    if weight == all_of_them:
        return Hidden(files, size, events)
    share = Amount.within(
        weight / all_of_them, FEW, f"share of {len(own)} runs by the sizes of their indexes"
    )
    return Hidden(round(files * weight / all_of_them), size.times(share), events.times(share))


def _parts(manifest: Manifest, skim: Skim, samples: Iterable[Sample]) -> list[Part]:
    found = list(samples)
    return [
        Part(skim.release, skim.name, kind, own, _hidden(manifest, skim, own))
        for kind in ("data", "mc")
        if (own := tuple(s for s in found if s.kind == kind))
    ]


@lru_cache
def _records() -> list[dict[str, Any]]:
    totals: list[dict[str, Any]] = read_json(RECORDS)["totals"]
    return totals
