"""The JSON form of a manifest: the files of a sample are columns, because there are 81,064."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.data.errors import ManifestError
from pipeline.data.identity import split_address
from pipeline.data.manifest import (
    Correction,
    LeftOut,
    Manifest,
    ManifestFile,
    Published,
    RunIndex,
    Sample,
    Skim,
)
from pipeline.files import replacing, to_json

MANIFEST_SCHEMA = 2
"""1 listed each file as an object, and knew neither run indexes nor published totals."""


def read_manifest(path: Path) -> Manifest:
    """A manifest from a compressed file; ManifestError if it is not one."""
    try:
        plain = json.loads(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ManifestError(
            f"expected a compressed manifest in {path}, found {error}; restore the file, or build "
            "it with `python -m pipeline.data.build_manifests`"
        ) from error
    if not isinstance(plain, dict) or plain.get("schema") != MANIFEST_SCHEMA:
        found = plain.get("schema") if isinstance(plain, dict) else type(plain).__name__
        raise ManifestError(
            f"expected a manifest of schema {MANIFEST_SCHEMA} in {path}, found {found!r}; "
            "it was made by another version of Ladon"
        )
    try:
        return from_dict(plain)
    except (KeyError, TypeError, AttributeError) as error:
        raise ManifestError(
            f"expected a manifest in {path} as data_manifests/manifest.schema.json describes it, "
            f"found one that is not ({type(error).__name__}: {error}); restore or rebuild the file"
        ) from error


def write_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Write compressed JSON; the same content gives the same bytes (no time, no file name)."""
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(to_json(manifest).encode(), 9, mtime=0))


def from_dict(plain: dict[str, Any]) -> Manifest:
    """A manifest from the plain types of its JSON form."""
    release = plain["release"]
    skims = {
        name: Skim(release, name, s["tree"], {n: _sample(n, x) for n, x in s["samples"].items()})
        for name, s in plain["skims"].items()
    }
    published = {kind: Published(**facts) for kind, facts in plain["published"].items()}
    left_out = tuple(LeftOut(**x) for x in plain["left_out"])
    synthetic = bool(plain.get("synthetic", False))
    return Manifest(release, plain["sources"], skims, published, left_out, synthetic)


def columns(files: Sequence[ManifestFile]) -> list[dict[str, Any]]:
    """Files in their JSON form: for each folder the columns name, size, adler32 and entries."""
    folders: dict[str, list[tuple[str, ManifestFile]]] = {}
    for file in files:
        folder, name = split_address(file.uri)
        folders.setdefault(folder, []).append((name, file))
    return [
        {
            "folder": folder,
            "names": [name for name, _ in listed],
            "sizes": [f.size for _, f in listed],
            "adler32": [f.adler32 for _, f in listed],
            "entries": [f.entries for _, f in listed],
        }
        for folder, listed in folders.items()
    ]


def files_of(blocks: Sequence[dict[str, Any]]) -> tuple[ManifestFile, ...]:
    """Files from their JSON form; ManifestError if the columns of a folder differ in length."""
    files: list[ManifestFile] = []
    for block in blocks:
        table = (block["names"], block["sizes"], block["adler32"], block["entries"])
        if len({len(column) for column in table}) != 1:
            raise ManifestError(
                f"expected columns of one length for the files in {block['folder']}, found "
                f"{', '.join(str(len(column)) for column in table)} names, sizes, checksums and "
                "entries; restore the manifest"
            )
        folder = block["folder"]
        files += [
            ManifestFile(folder + name, size, adler32, entries)
            for name, size, adler32, entries in zip(*table, strict=True)
        ]
    return tuple(files)


def _sample(name: str, plain: dict[str, Any]) -> Sample:
    return Sample(
        **{
            **plain,
            "name": name,
            "files": files_of(plain["files"]),
            "corrections": tuple(Correction(**c) for c in plain["corrections"]),
            "warnings": tuple(plain["warnings"]),
            "indexes": tuple(RunIndex(**i) for i in plain["indexes"]),
        }
    )
