"""A mirror of many small files: the synthetic samples of H→γγ cut into pieces, some of them spoilt.

The pieces are synthetic, and so says their manifest. They lie under the addresses that the manifest
gives them, so that a web server over the folder is a portal.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

from pipeline.configure import configure
from pipeline.data.chunks import edges
from pipeline.data.identity import portal_path
from pipeline.data.manifest import ManifestFile, Sample, load_manifest
from pipeline.data.manifest_form import columns, write_manifest
from pipeline.data.synthetic import generate
from pipeline.data.verify import adler32_file
from pipeline.data_settings import DataSettings
from tests.mirror.files import manifest_of, plain_sample

RELEASE, SKIM, TREE = "2025e-13tev-beta", "GamGam", "analysis"
GENERATED = ("data.luminosity=0.6", "data.thinning=0.05")
"""What the samples hold before they are cut: a few hundred events in the smallest."""


@dataclass(frozen=True)
class Mirror:
    """Where the pieces are, and what is known of them."""

    folder: Path
    manifest: Path
    entries: Mapping[str, int]
    """Sample -> its entries in all pieces."""
    pieces: Mapping[str, tuple[Path, ...]]
    """Sample -> its files."""

    @property
    def files(self) -> list[Path]:
        """All files, sample by sample."""
        return [path for paths in self.pieces.values() for path in paths]

    def sample_of(self, path: Path) -> str:
        """The sample that a file belongs to."""
        return next(name for name, paths in self.pieces.items() if path in paths)


def make_mirror(folder: Path, number: int) -> Mirror:
    """Each synthetic sample of hyy in `number` files below `folder`/portal, with a manifest."""
    data = configure(["channel=hyy", *GENERATED]).data
    samples: dict[str, Any] = {}
    pieces: dict[str, tuple[Path, ...]] = {}
    entries: dict[str, int] = {}
    known = load_manifest(RELEASE).skim(SKIM)
    for record in generate("hyy", data, folder / "whole"):
        name = record["sample"]
        uri = known.sample(name).files[0].uri
        addresses = [uri.removesuffix(".root") + f"_{i:04d}.root" for i in range(number)]
        paths = tuple(folder / "portal" / portal_path(a) for a in addresses)
        counts = _cut(Path(record["path"]), paths)
        pieces[name] = paths
        entries[name] = sum(counts)
        samples[name] = _sample(known.sample(name), record, addresses, paths, counts)
    manifest = folder / "manifest.json.gz"
    write_manifest(manifest, manifest_of(configure(["channel=hyy"]), samples))
    return Mirror(folder / "portal", manifest, entries, pieces)


def _cut(whole: Path, paths: tuple[Path, ...]) -> list[int]:
    """The events of a file in as many files as there are `paths`; the entries of each."""
    with uproot.open(whole) as file:
        arrays = file[TREE].arrays(how=dict)
    events = len(next(iter(arrays.values())))
    bounds = edges(events, -(-events // len(paths)))
    bounds += [(events, events)] * (len(paths) - len(bounds))
    kept = {n: v for n, v in arrays.items() if n not in ("photon_n", "lep_n", "jet_n")}
    for path, (start, stop) in zip(paths, bounds, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = {name: values[start:stop] for name, values in kept.items()}
        with uproot.recreate(path, compression=uproot.ZLIB(1)) as file:
            file.mktree(TREE, {n: ak.type(v).content for n, v in part.items()}).extend(part)
    return [stop - start for start, stop in bounds]


def _sample(
    real: Sample,
    record: Mapping[str, Any],
    uris: list[str],
    paths: tuple[Path, ...],
    counts: list[int],
) -> dict[str, Any]:
    files = [
        ManifestFile(u, p.stat().st_size, adler32_file(p), n)
        for u, p, n in zip(uris, paths, counts, strict=True)
    ]
    return {**plain_sample(real, record), "files": columns(files)}


def spoil(mirror: Mirror, share: float, seed: int) -> dict[Path, str]:
    """Damage a share of the files in place, their sizes kept; file -> how it was damaged."""
    chosen = random.Random(seed).sample(mirror.files, round(share * len(mirror.files)))
    ways = list(DAMAGES.items())
    spoilt = {}
    for i, path in enumerate(sorted(chosen)):
        name, damage = ways[i % len(ways)]
        content = bytearray(path.read_bytes())
        damage(content)
        path.write_bytes(bytes(content))
        spoilt[path] = name
    return spoilt


def _no_header(content: bytearray) -> None:
    content[:16] = b"<html>502</html>"


def _no_directory(content: bytearray) -> None:
    """The last tenth, where the tree and the list of streamers lie, is zeros."""
    tenth = len(content) // 10
    content[-tenth:] = bytes(tenth)


def _zeros_within(content: bytearray) -> None:
    """A block in the middle of the file, as a disk that lost a sector gives: zeros."""
    middle = len(content) // 3
    content[middle : middle + 4096] = bytes(4096)


DAMAGES: dict[str, Callable[[bytearray], None]] = {
    "no header": _no_header,
    "no directory": _no_directory,
    "zeros within": _zeros_within,
}
"""Name of a damage -> what it does to the bytes of a file; none changes the length."""


def luminosity() -> float:
    """fb^-1 that the pieces were generated with."""
    data: DataSettings = configure(["channel=hyy", *GENERATED]).data
    return data.luminosity
