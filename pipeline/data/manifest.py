"""Manifests: the verified list of a release's samples and files, read from `data_manifests/`."""

from __future__ import annotations

import difflib
import gzip
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pipeline.data.errors import ManifestError
from pipeline.files import sha256_file
from pipeline.paths import resource

MANIFEST_SCHEMA = 1


@dataclass(frozen=True)
class ManifestFile:
    """One file of a sample as its record describes it."""

    uri: str
    size: int
    """Bytes."""
    adler32: str
    """Eight lower-case hex digits."""
    entries: int | None
    """Entries of the tree, where a source says."""


@dataclass(frozen=True)
class Correction:
    """A value of the sources that was replaced, and why."""

    quantity: str
    old: float | None
    new: float
    reason: str
    source: str


@dataclass(frozen=True)
class Sample:
    """One process (DSID) or one data period of a skim."""

    name: str
    kind: Literal["data", "mc"]
    dsid: int | None
    process: str
    """Short name of the process as the release spells it; the period for data."""
    files: tuple[ManifestFile, ...]
    cross_section_pb: float | None
    filter_efficiency: float | None
    k_factor: float | None
    sum_of_weights: float | None
    """Signed sum of generator weights over all generated events; None for data."""
    sum_of_weights_squared: float | None
    n_events: int | None
    """Generated events; None for data and where the source does not say."""
    corrections: tuple[Correction, ...]
    warnings: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(f.size for f in self.files)

    @property
    def effective_cross_section_pb(self) -> float:
        """Cross-section x filter efficiency x k-factor in pb; ManifestError if one is unknown."""
        factors = (self.cross_section_pb, self.filter_efficiency, self.k_factor)
        if any(f is None for f in factors):
            raise ManifestError(
                f"sample {self.name} ({self.process}) has no cross-section in the release's table"
            )
        xsec, efficiency, k = (float(f) for f in factors if f is not None)
        return xsec * efficiency * k


@dataclass(frozen=True)
class Skim:
    """The samples of a release that passed one preselection of the publisher."""

    release: str
    name: str
    tree: str
    samples: dict[str, Sample]

    def sample(self, name: str) -> Sample:
        """A sample by name (DSID or period); ManifestError with the nearest names."""
        if name not in self.samples:
            near = difflib.get_close_matches(name, self.samples, n=3)
            hint = f"nearest: {', '.join(near)}" if near else f"it has {len(self.samples)} others"
            raise ManifestError(
                f"skim {self.name} of release {self.release} has no sample {name!r}; {hint}"
            )
        return self.samples[name]

    @property
    def files(self) -> list[ManifestFile]:
        """Files of all samples, in the order of the samples."""
        return [f for s in self.samples.values() for f in s.files]


@dataclass(frozen=True)
class Manifest:
    """All skims of a release that Ladon knows."""

    release: str
    sources: dict[str, str]
    """Name of a source -> SHA-256 of what it was when the manifest was built."""
    skims: dict[str, Skim]
    synthetic: bool = False
    """Its files are synthetic, whatever their names are."""

    def skim(self, name: str) -> Skim:
        """A skim by name; ManifestError says which there are."""
        if name not in self.skims:
            raise ManifestError(
                f"the manifest of release {self.release} has no skim {name!r}; "
                f"it has {', '.join(self.skims)}"
            )
        return self.skims[name]


def manifest_folder() -> Path:
    """The folder of the manifests: of this checkout, or of the installed distribution."""
    return resource("data_manifests")


def manifest_path(release: str) -> Path:
    """The manifest's file of a release; ManifestError if there is none."""
    path = manifest_folder() / f"{release}.json.gz"
    if not path.is_file():
        raise ManifestError(
            f"no manifest for release {release!r}; known: {', '.join(known_manifests())}"
        )
    return path


def known_manifests() -> list[str]:
    """Official keys of the releases that have a manifest."""
    return sorted(p.name.removesuffix(".json.gz") for p in manifest_folder().glob("*.json.gz"))


def manifest_sha256(release: str) -> str:
    """SHA-256 of the manifest's file, for the provenance of results."""
    return sha256_file(manifest_path(release))


@lru_cache
def load_manifest(release: str) -> Manifest:
    """The manifest of a release, by its official key; ManifestError if missing or not valid."""
    return read_manifest(manifest_path(release))


def read_manifest(path: Path) -> Manifest:
    """A manifest from a compressed file; ManifestError if it is not one."""
    try:
        plain = json.loads(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValueError) as error:
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
    return from_dict(plain)


def from_dict(plain: dict[str, Any]) -> Manifest:
    """A manifest from the plain types of its JSON form."""
    release = plain["release"]
    skims = {
        name: Skim(release, name, s["tree"], {n: _sample(n, x) for n, x in s["samples"].items()})
        for name, s in plain["skims"].items()
    }
    return Manifest(release, plain["sources"], skims, bool(plain.get("synthetic", False)))


def _sample(name: str, plain: dict[str, Any]) -> Sample:
    return Sample(
        **{
            **plain,
            "name": name,
            "files": tuple(ManifestFile(**f) for f in plain["files"]),
            "corrections": tuple(Correction(**c) for c in plain["corrections"]),
            "warnings": tuple(plain["warnings"]),
        }
    )
