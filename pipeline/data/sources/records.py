"""The portal's records: the files that each lists, with sizes and checksums.

`GET /api/records/<recid>` of the CERN Open Data portal gives `metadata.files` and, where a record
is made of file indexes, `metadata._file_indices`: per index its `key` (the name of the index file)
and `files`. Both list `uri`, `size` and `checksum` (cernopendata-portal, `cernopendata/api.py`).
The record's source lists an index itself as a file of `type` `index.json`; where a record still
does so, its files are not known before the index is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.data.errors import ManifestError
from pipeline.data.identity import (
    basename,
    canonical_address,
    is_root_file,
    normalise_adler32,
)
from pipeline.data.manifest import LeftOut, ManifestFile, RunIndex
from pipeline.data.sources.client import session_for

TIMEOUT_S = 120


@dataclass(frozen=True)
class Listed:
    """A file of a record, and the index that lists it (None: the record itself)."""

    file: ManifestFile
    index: str | None


@dataclass
class Record:
    """What one record of the portal lists."""

    recid: int
    files: list[Listed] = field(default_factory=list)
    indexes: list[RunIndex] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def fetch_record(portal: str, recid: int) -> Record:
    """The record `recid` of the portal at `portal`, e.g. `https://opendata.cern.ch`.

    Raises ManifestError if it does not answer, or lists a file twice with other facts.
    """
    address = f"{portal.rstrip('/')}/api/records/{recid}"
    session = session_for(portal)
    import requests

    try:
        answer = session.get(address, timeout=TIMEOUT_S)
        answer.raise_for_status()
        plain = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise ManifestError(
            f"expected record {recid} from {address}, found {error}; check the address and the "
            "network, and try again"
        ) from error
    return read_record(recid, plain)


def read_record(recid: int, plain: dict[str, Any]) -> Record:
    """A record from the JSON that the portal answers with.

    Archives, notes and text indexes are left out and listed as such; what is listed twice with the
    same facts is left out the second time. Raises ManifestError for an answer of another form, and
    for a record without any file.
    """
    try:
        record = _read(recid, plain)
    except (LookupError, TypeError, AttributeError) as error:
        raise ManifestError(
            f"expected metadata with files, each with uri, size and checksum, in record {recid}, "
            f"found another form ({type(error).__name__}: {error}); check the address of the "
            "portal, or teach pipeline/data/sources/records.py what it answers now"
        ) from error
    if not record.files and not record.indexes:
        raise ManifestError(
            f"expected files in record {recid}, found none; a manifest would lack its samples and "
            "nobody would see it: check the record on the portal, and records.json"
        )
    return record


def _read(recid: int, plain: dict[str, Any]) -> Record:
    metadata = plain["metadata"]
    record = Record(recid)
    listed = [(entry, None) for entry in metadata.get("files") or ()]
    for index in metadata.get("_file_indices") or ():
        listed += [(entry, index["key"]) for entry in index["files"]]
    seen: dict[str, Listed] = {}
    for entry, index_key in listed:
        if entry.get("type") == "index.json":
            record.indexes.append(_index(entry))
        elif reason := _no_sample(entry["uri"]):
            record.left_out.append(LeftOut(entry["uri"], reason))
        else:
            _add(record, seen, Listed(_file(entry), index_key))
    _count_single(record, metadata)
    return record


def _add(record: Record, seen: dict[str, Listed], listed: Listed) -> None:
    before = seen.setdefault(listed.file.uri, listed)
    if before is listed:
        record.files.append(listed)
    elif before.file == listed.file:
        record.left_out.append(LeftOut(listed.file.uri, "listed twice"))
    else:
        raise ManifestError(
            f"expected one size and checksum of {listed.file.uri} in record {record.recid}, found "
            f"{before.file.size} bytes {before.file.adler32} and {listed.file.size} bytes "
            f"{listed.file.adler32}; ask the portal which is right"
        )


def _count_single(record: Record, metadata: dict[str, Any]) -> None:
    """The number of events of a record is that of its file, if it has only one."""
    events = (metadata.get("distribution") or {}).get("number_events")
    if events is None or len(record.files) != 1:
        return
    (listed,) = record.files
    if listed.file.entries is None:
        f = listed.file
        record.files[0] = Listed(ManifestFile(f.uri, f.size, f.adler32, int(events)), listed.index)


def _no_sample(uri: str) -> str | None:
    """Why an entry of a record is no file of a sample; None if it is one."""
    if is_root_file(uri):
        return None
    if basename(uri).endswith((".zip", ".tar", ".tar.gz")):
        return "archive of files that are listed one by one"
    return "not a ROOT file"


def _file(entry: dict[str, Any]) -> ManifestFile:
    events = entry.get("events")
    return ManifestFile(
        canonical_address(entry["uri"]),
        int(entry["size"]),
        normalise_adler32(entry["checksum"]),
        None if events is None else int(events),
    )


def _index(entry: dict[str, Any]) -> RunIndex:
    return RunIndex(
        canonical_address(entry["uri"]), int(entry["size"]), normalise_adler32(entry["checksum"])
    )
