"""Run indexes: the publisher's JSON lists that name the files of a run, once they are here.

The records of the 2015 and 2016 proton-proton data (80000, 80001) list one index per run instead
of 55,620 files. An index is a JSON list of objects with `checksum` (`adler32:` and 8 hex digits),
`filename` (`<campaign>:<name>`), `size` (bytes) and `uri`; it is written by
`atlas-2024-odfr/create_file_indexes.py` of github.com/cernopendata/data-curation and read by the
portal's `cernopendata/api.py`, which takes `uri`, `size` and `checksum` of each entry. Composed in
that form, the index of run 271733 has the size and checksum that its record states.

Indexes that were fetched are kept as they are in a folder of the user, below
`$XDG_CACHE_HOME/ladon/indexes/<release>/`; each time they are read they are verified against the
size and checksum in the manifest, so that nothing else can get into the list of files.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.data.errors import ManifestError
from pipeline.data.identity import (
    basename,
    canonical_address,
    format_adler32,
    is_root_file,
    normalise_adler32,
    split_address,
)
from pipeline.data.manifest import Manifest, ManifestFile, RunIndex, Sample, Skim
from pipeline.files import replacing

AGAIN = "fetch it again with `ladon fetch --index`"


@dataclass(frozen=True)
class Resolution:
    """What indexes have made known of a release."""

    resolved: int
    """Runs whose files are known now."""
    unresolved: int
    """Runs whose index is still missing."""
    files: int
    bytes: int
    """Of the files of the runs that are resolved."""


def index_folder(release: str) -> Path:
    """Where the indexes of a release are kept for this user."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "ladon" / "indexes" / release


def missing_indexes(release: str, folder: Path | None = None) -> list[RunIndex]:
    """The indexes that the manifest lists and that are not, or not whole, in the user's folder."""
    from pipeline.data.manifest import manifest_path
    from pipeline.data.manifest_form import read_manifest

    where = folder or index_folder(release)
    manifest = read_manifest(manifest_path(release))
    return [
        index
        for skim in manifest.skims.values()
        for _, index in _indexes(skim)
        if not _is_whole(where / basename(index.uri), index)
    ]


def resolve(
    release: str, index_files: Mapping[str, Path], folder: Path | None = None
) -> Resolution:
    """Keep fetched indexes (URI -> path of the file), and say what is known of the release now.

    All of them are checked before the first is kept. `folder` is `index_folder(release)` unless
    given. `load_manifest` finds the files from then on. Raises ManifestError for an index that the
    manifest does not list, with another size or checksum, or that is not what an index is.
    """
    from pipeline.data.manifest import load_manifest, manifest_path
    from pipeline.data.manifest_form import read_manifest

    manifest = read_manifest(manifest_path(release))
    known = {i.uri: (s, i) for skim in manifest.skims.values() for s, i in _indexes(skim)}
    checked: dict[str, bytes] = {}
    for uri, path in index_files.items():
        if canonical_address(uri) not in known:
            raise ManifestError(
                f"expected an index that the manifest of release {release} lists, found {uri!r}; "
                f"it lists {len(known)}" + (f", such as {min(known)}" if known else "")
            )
        sample, index = known[canonical_address(uri)]
        content = path.read_bytes()
        parse_index(content, index, sample, path)
        checked[basename(index.uri)] = content
    where = folder or index_folder(release)
    for name, content in checked.items():
        with replacing(where / name) as temporary:
            temporary.write_bytes(content)
    load_manifest.cache_clear()
    return _resolution(with_indexes(manifest, where))


def with_indexes(manifest: Manifest, folder: Path | None = None) -> Manifest:
    """The manifest with the files of all runs whose index is in `folder`.

    Raises ManifestError if an index there is not the one that the manifest lists, and if two runs
    list the same file.
    """
    where = folder or index_folder(manifest.release)
    here = {p.name for p in where.glob("*.json")} if where.is_dir() else set()
    if not here:
        return manifest
    skims = {name: _resolved_skim(skim, where, here) for name, skim in manifest.skims.items()}
    return replace(manifest, skims=skims)


def parse_index(
    content: bytes, index: RunIndex, sample: Sample, place: Path
) -> tuple[ManifestFile, ...]:
    """The files that an index lists, in its order.

    Raises ManifestError if it is not the index of the manifest (size, adler32), no JSON list, or
    lists a file twice, no ROOT file, or a file of another campaign than the run's.
    """
    found = f"{len(content)} bytes with adler32 {format_adler32(zlib.adler32(content))}"
    expected = f"{index.size} bytes with adler32 {index.adler32}"
    if found != expected:
        raise ManifestError(
            f"expected {expected} of the index of {sample.name}, found {found} in {place}; {AGAIN}"
        )
    return parse_entries(content, sample, place)


def parse_entries(content: bytes, sample: Sample, place: Path) -> tuple[ManifestFile, ...]:
    """The files that the text of an index lists; ManifestError as for `parse_index`."""
    try:
        entries = json.loads(content)
    except ValueError as error:
        raise ManifestError(
            f"expected a JSON list of files in the index of {sample.name}, found {error} in "
            f"{place}; {AGAIN}"
        ) from error
    if not isinstance(entries, list) or not entries:
        what = "an empty list" if entries == [] else type(entries).__name__
        raise ManifestError(
            f"expected a JSON list of files in the index of {sample.name}, found {what} in "
            f"{place}; {AGAIN}"
        )
    files = tuple(_file(entry, number, sample, place) for number, entry in enumerate(entries, 1))
    seen: set[str] = set()
    for file in files:
        if file.uri in seen:
            raise ManifestError(
                f"expected each file once in the index of {sample.name}, found {file.uri} twice "
                f"in {place}; {AGAIN}"
            )
        seen.add(file.uri)
    return files


def _file(entry: Any, number: int, sample: Sample, place: Path) -> ManifestFile:
    try:
        uri, size, checksum = entry["uri"], entry["size"], entry["checksum"]
    except (TypeError, KeyError) as error:
        raise ManifestError(
            f"expected uri, size and checksum in entry {number} of the index of {sample.name}, "
            f"found {entry!r:.120} in {place}; {AGAIN}"
        ) from error
    if not isinstance(size, int) or size < 1 or not is_root_file(str(uri)):
        raise ManifestError(
            f"expected a ROOT file with its size in entry {number} of the index of {sample.name}, "
            f"found {uri!r} of size {size!r} in {place}; {AGAIN}"
        )
    address = canonical_address(uri)
    campaign = split_address(address)[0].rstrip("/").rsplit("/", 1)[-1]
    if campaign != sample.campaign:
        raise ManifestError(
            f"expected files of {sample.campaign} in the index of {sample.name}, found {uri} in "
            f"{place}: it is the index of another run; {AGAIN}"
        )
    return ManifestFile(address, size, normalise_adler32(checksum), None)


def _is_whole(path: Path, index: RunIndex) -> bool:
    if not path.is_file() or path.stat().st_size != index.size:
        return False
    return format_adler32(zlib.adler32(path.read_bytes())) == index.adler32


def _indexes(skim: Skim) -> list[tuple[Sample, RunIndex]]:
    return [(s, i) for s in skim.samples.values() for i in s.indexes]


def _resolved_skim(skim: Skim, where: Path, here: set[str]) -> Skim:
    samples = dict(skim.samples)
    owner: dict[str, str] = {}
    for name, sample in skim.samples.items():
        names = [basename(i.uri) for i in sample.indexes]
        if not names or not here.issuperset(names):
            continue
        files: list[ManifestFile] = []
        for index, one in zip(sample.indexes, names, strict=True):
            path = where / one
            files += parse_index(path.read_bytes(), index, sample, path)
        for file in files:
            if owner.setdefault(file.uri, name) != name:
                raise ManifestError(
                    f"expected {file.uri} in the index of one run, found it in those of "
                    f"{owner[file.uri]} and {name} in {where}; remove both and {AGAIN}"
                )
        samples[name] = replace(sample, files=tuple(files))
    return replace(skim, samples=samples)


def _resolution(manifest: Manifest) -> Resolution:
    runs = [s for skim in manifest.skims.values() for s in skim.samples.values() if s.indexes]
    files = [f for s in runs for f in s.files]
    resolved = sum(s.resolved for s in runs)
    return Resolution(resolved, len(runs) - resolved, len(files), sum(f.size for f in files))
