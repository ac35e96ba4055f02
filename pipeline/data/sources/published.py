"""How much the publisher says there is, beside what is listed file by file.

`data_manifests/published.json` holds what no list of files can say: the files of runs that are
known by their indexes only, and events that no record counts per file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.data.errors import ManifestError
from pipeline.data.manifest import ManifestFile, Published
from pipeline.data.sources.reviewed import check_known, read_reviewed

PUBLISHED = "published.json"
COUNTED = "counted from the files that the records list"
TOTAL = "total"
GENERATOR = "generator"
"""Kind of generator-level files, which no catalogue at hand lists."""
KINDS = ("data", "mc", TOTAL, GENERATOR)


def read_published(folder: Path) -> dict[str, dict[str, Published]]:
    """Release -> kind -> what the reviewed file says; ManifestError for an unknown kind."""
    found: dict[str, dict[str, Published]] = {}
    for entry in read_reviewed(folder / PUBLISHED, "published")["published"]:
        check_known("kind", entry["kind"], KINDS, folder / PUBLISHED)
        facts = {key: value for key, value in entry.items() if key not in ("release", "kind")}
        found.setdefault(entry["release"], {})[entry["kind"]] = Published(**facts)
    return found


def totals(
    release: str, samples: Iterable[dict[str, Any]], said: dict[str, Published]
) -> dict[str, dict[str, Any]]:
    """Published totals of `data`, `mc` and `total` in their JSON form.

    What is listed file by file is counted; only the rest is taken from the reviewed file. Raises
    ManifestError where the two contradict each other, or where a kind is neither.
    """
    by_kind: dict[str, list[dict[str, Any]]] = {"data": [], "mc": []}
    for sample in samples:
        by_kind[sample["kind"]].append(sample)
    found = {kind: _kind(release, kind, by_kind[kind], said.get(kind)) for kind in by_kind}
    total = _sum(found["data"], found["mc"])
    if TOTAL in said:
        total = _agreed(release, TOTAL, total, said[TOTAL])
    return {kind: asdict(facts) for kind, facts in {**found, TOTAL: total}.items()}


def _kind(
    release: str, kind: str, samples: list[dict[str, Any]], said: Published | None
) -> Published:
    unresolved = [s for s in samples if s["indexes"] and not s["files"]]
    counted = _count([f for s in samples for f in s["files"]])
    if not unresolved:
        return counted if said is None else _agreed(release, kind, counted, said)
    if said is None:
        raise ManifestError(
            f"{len(unresolved)} {kind} samples of release {release} are known by their indexes "
            f"only and {PUBLISHED} does not say how many files they have; add an entry"
        )
    return said


def _count(files: list[ManifestFile]) -> Published:
    events = [f.entries for f in files if f.entries is not None]
    known = len(events) == len(files)
    return Published(
        len(files), sum(events) if known else None, sum(f.size for f in files), 1, COUNTED
    )


def _sum(one: Published, other: Published) -> Published:
    known = one.events is not None and other.events is not None
    return Published(
        one.files + other.files,
        (one.events or 0) + (other.events or 0) if known else None,
        one.bytes + other.bytes,
        max(one.rounded, other.rounded),
        COUNTED if one.source == other.source == COUNTED else "data and mc together",
    )


def _agreed(release: str, kind: str, counted: Published, said: Published) -> Published:
    """What both say, with the events of the one that knows them; ManifestError if they differ."""
    events = (counted.events, said.events)
    differ = (
        counted.files != said.files
        or (None not in events and events[0] != events[1])
        or abs(counted.bytes - said.bytes) > max(counted.rounded, said.rounded) / 2
    )
    if differ:
        raise ManifestError(
            f"expected {said.files} files, {said.events} events and {said.bytes} bytes of {kind} "
            f"in release {release} ({said.source}), found {counted.files}, {counted.events} and "
            f"{counted.bytes} in the records; review {PUBLISHED}"
        )
    if counted.events is None and said.events is not None:
        return Published(
            counted.files, said.events, counted.bytes, counted.rounded,
            f"{counted.source}; events: {said.source}",
        )  # fmt: skip
    return counted
