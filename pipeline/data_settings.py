"""The part of the frozen settings that says which events are read, and how they come here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WAY_OF_DATA = ("access", "source", "cache", "cache_gb")
"""How files come here; their bits, which the checksums name, are the same."""


@dataclass(frozen=True)
class DataSettings:
    """Where the events come from and how far they are trusted."""

    name: str
    release: str
    """Official release key, e.g. 2025e-13tev-beta; it chooses manifest and schema door."""
    synthetic: bool = False
    location: str | None = None
    """A folder, or the address of a mirror; either with the portal's layout below it."""
    access: Literal["copy", "stream"] = "copy"
    """From a mirror: files are copied into the cache first, or read where they are."""
    source: tuple[str, ...] = ()
    """Addresses that are copied from, in the order in which they are tried; none: the location."""
    cache: str | None = None
    cache_gb: float | None = None
    """Most that the cache may hold (10^9 bytes); None: as much as its disk has room for."""
    manifest: str | None = None
    """File of another manifest than the release's; its files may be synthetic."""
    synthetic_manifest: bool = False
    """That manifest says that its files are synthetic (not for users: read from the manifest)."""
    skim: str | None = None
    """Folder of a skim whose converted events are taken instead of ROOT files."""
    verify: Literal["checksum", "size", "none"] = "checksum"
    partial: bool = False
    luminosity: float = 36.1
    """fb^-1 that simulation is normalised to (and, for synthetic data, generated with)."""
    mu: float = 1.0
    """Injected signal strength (synthetic data only)."""
    seed: int = 2025
    thinning: float = 1.0
    """Share of the non-tight, non-isolated continuum that synthetic data keeps."""
    chunk_size: int = 100_000
    share: Literal["one", "1%", "10%", "all"] = "all"
    """Part of the files of each process that is read; each is within the next larger one."""

    @property
    def labelled_synthetic(self) -> bool:
        """Whether the events are synthetic, made here or listed by a manifest that says so."""
        return self.synthetic or self.synthetic_manifest

    @property
    def generated(self) -> bool:
        """Whether files have to be made before anything is read."""
        return self.synthetic and self.skim is None

    @property
    def found_synthetic(self) -> bool:
        """Whether the events are synthetic and were made before: they are fetched, or in a skim."""
        return self.labelled_synthetic and not self.generated
