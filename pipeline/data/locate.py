"""Finds the files of a skim in a folder: a flat one, or a mirror in the portal's layout."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.data.errors import LocationError
from pipeline.data.identity import basename, is_root_file, portal_path
from pipeline.data.manifest import Manifest, ManifestFile
from pipeline.data.probe import Problem
from pipeline.data.verify import Mode

OTHER = ".ladon-other"
"""Folder of a cache whose files have the names of the release's but are others; never looked into.
"""


@dataclass(frozen=True)
class Streamed:
    """A file on the network, as it was found before anything is read from it."""

    address: str
    size: int
    """Bytes, as the server says; they are the manifest's if sizes are verified."""
    entries: int | Problem | None
    """None where counting is left to the jobs that convert it."""


@dataclass(frozen=True)
class Located:
    """What a location holds of a skim."""

    paths: dict[str, Path]
    """URI -> absolute path, for the files that are there."""
    unknown: tuple[Path, ...]
    """ROOT files that no skim of the manifest lists."""
    ambiguous: tuple[str, ...]
    """Sentences about files that are there more than once."""
    verified: Mapping[str, Mode] = field(default_factory=dict)
    """URI -> what was checked already while the file came."""
    streamed: Mapping[str, Streamed] = field(default_factory=dict)
    """URI -> what is read where it is, on the network."""

    def holds(self, uri: str) -> bool:
        """Whether a file is there, or can be read where it is."""
        return uri in self.paths or uri in self.streamed

    def place(self, uri: str) -> Path | str | None:
        """The path or the address of a file, if it is there."""
        found = self.streamed.get(uri)
        return self.paths.get(uri) if found is None else found.address

    def missing(self, files: Iterable[ManifestFile]) -> list[str]:
        """URIs of the `files` that are not there."""
        return [f.uri for f in files if not self.holds(f.uri)]


def open_location(location: str | None, release: str) -> Path:
    """The folder that `data.location` names, absolute.

    Raises LocationError if none is given, or if it is no folder.
    """
    if location is None:
        raise LocationError(
            f"release {release} needs its files: give data.location=PATH, the folder that holds "
            "them or the portal's layout below it"
        )
    folder = Path(location).expanduser()
    if not folder.is_dir():
        what = "a file" if folder.exists() else "nothing"
        raise LocationError(
            f"expected a folder at data.location={location}, found {what}; give the folder that "
            "holds the files, or the portal's layout below it"
        )
    return folder.resolve()


def locate(manifest: Manifest, skim: str, folder: Path) -> Located:
    """Look for every file of a skim in `folder` and all folders below, in one walk.

    A file is known by its name. Where a name is there more than once, the path that shares most
    trailing parts with the address on the portal is taken, then the one with fewest parts, then
    the first in alphabetical order.
    """
    there = _root_files(folder)
    paths: dict[str, Path] = {}
    ambiguous: list[str] = []
    for file in manifest.skim(skim).files:
        candidates = there.get(basename(file.uri), [])
        if not candidates:
            continue
        ranked = sorted(candidates, key=lambda p, uri=file.uri: _rank(p, uri))  # type: ignore[misc]
        paths[file.uri] = ranked[0]
        if len(ranked) > 1:
            ambiguous.append(
                f"{basename(file.uri)} is there {len(ranked)} times; {ranked[0]} was taken"
            )
    known = {basename(f.uri) for s in manifest.skims.values() for f in s.files}
    unknown = sorted(p for name in sorted(there) if name not in known for p in there[name])
    return Located(paths, tuple(unknown), tuple(ambiguous))


def _root_files(folder: Path) -> dict[str, list[Path]]:
    """All ROOT files below `folder` by name; links to folders are followed, each folder once."""
    found: dict[str, list[Path]] = defaultdict(list)
    seen: set[str] = set()
    for base, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(base)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if f != OTHER)
        for name in sorted(names):
            path = Path(base, name)
            if is_root_file(name) and path.is_file():
                found[name].append(path)
    return found


def _rank(path: Path, uri: str) -> tuple[int, int, str]:
    shared = 0
    for ours, theirs in zip(
        reversed(path.parts), reversed(portal_path(uri).split("/")), strict=False
    ):
        if ours != theirs:
            break
        shared += 1
    return -shared, len(path.parts), str(path)
