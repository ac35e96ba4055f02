"""Manifests: the verified list of a release's samples and files, read from `data_manifests/`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pipeline.data.errors import ManifestError
from pipeline.files import sha256_file
from pipeline.paths import resource

Kind = Literal["data", "mc"]
_YEAR = re.compile(r"data(\d\d)_")


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file of a sample as its record describes it."""

    uri: str
    size: int
    """Bytes."""
    adler32: str
    """Eight lower-case hex digits."""
    entries: int | None
    """Entries of the tree, where a source says."""


@dataclass(frozen=True, slots=True)
class RunIndex:
    """The publisher's JSON list of a run's files, where a record lists that instead of them."""

    uri: str
    size: int
    """Bytes."""
    adler32: str
    """Eight lower-case hex digits."""


@dataclass(frozen=True)
class Published:
    """How much the publisher says there is of one kind of data."""

    files: int
    events: int | None
    """None where no source says."""
    bytes: int
    rounded: int
    """`bytes` is known to multiples of this many; 1 where it is exact."""
    source: str


@dataclass(frozen=True)
class LeftOut:
    """Something that a record lists and that is no file of a sample."""

    uri: str
    reason: str


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
    kind: Kind
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
    campaign: str | None = None
    """Data-taking or simulation campaign as the portal's folder spells it, e.g. `data15_13TeV`."""
    facts_source: str | None = None
    """Where cross-section and sum of weights are from; None if no source has them."""
    indexes: tuple[RunIndex, ...] = ()
    """Lists of its files on the portal, for a run of which the record names no file."""

    @property
    def size(self) -> int:
        """Bytes of all its files that are known."""
        return sum(f.size for f in self.files)

    @property
    def entries(self) -> int | None:
        """Entries of all its files; None if one is unknown, or its files are."""
        known = [f.entries for f in self.files if f.entries is not None]
        return sum(known) if self.resolved and len(known) == len(self.files) else None

    @property
    def resolved(self) -> bool:
        """Whether its files are known one by one (`ladon fetch --index` makes it so)."""
        return bool(self.files) or not self.indexes

    @property
    def year(self) -> int | None:
        """Year of the data taking, where its names say; None for simulation."""
        match = _YEAR.match(self.campaign or self.name) if self.kind == "data" else None
        return None if match is None else 2000 + int(match[1])

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
            raise ManifestError(
                f"skim {self.name} of release {self.release} has no sample {name!r}; "
                f"{nearest_names(name, self.samples)}"
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
    published: dict[str, Published] = field(default_factory=dict)
    """`data`, `mc` and `total` -> how much the publisher says there is."""
    left_out: tuple[LeftOut, ...] = ()

    def skim(self, name: str) -> Skim:
        """A skim by name; ManifestError says which there are."""
        if name not in self.skims:
            raise ManifestError(
                f"the manifest of release {self.release} has no skim {name!r}; "
                f"{nearest_names(name, self.skims)}"
            )
        return self.skims[name]


def nearest_names(name: str, known: Iterable[str]) -> str:
    """The names nearest to one that is not known, upper and lower case alike; else all or some."""
    by_lower = {k.lower(): k for k in known}
    longer = [k for k in by_lower if name and k.startswith(name.lower())]
    near = list(dict.fromkeys(longer[:3] + difflib.get_close_matches(name.lower(), by_lower)))
    if near:
        return f"nearest: {', '.join(by_lower[n] for n in near[:3])}"
    more = f" and {len(by_lower) - 12} others" if len(by_lower) > 12 else ""
    return f"it has {', '.join(list(by_lower.values())[:12])}{more}"


def manifest_folder() -> Path:
    """The folder of the manifests: of this checkout, or of the installed distribution."""
    return resource("data_manifests")


def manifest_path(release: str) -> Path:
    """The manifest's file of a release; ManifestError if there is none."""
    path = manifest_folder() / f"{release}.json.gz"
    if not path.is_file():
        raise ManifestError(
            f"no manifest for release {release!r}; {nearest_names(release, known_manifests())}"
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
    """The manifest of a release, by its official key; ManifestError if missing or not valid.

    Runs whose index is in the user's folder (see `run_index`) come with their files.
    """
    from pipeline.data.manifest_form import read_manifest
    from pipeline.data.run_index import with_indexes

    return with_indexes(read_manifest(manifest_path(release)))
