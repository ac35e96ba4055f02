"""Files of a mirror: contents under the portal's paths, and a manifest that lists them."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.data.chosen import chosen_manifest
from pipeline.data.identity import portal_path
from pipeline.data.manifest import MANIFEST_SCHEMA, ManifestFile, Sample
from pipeline.data.synthetic import synthesize
from pipeline.data.verify import adler32_file
from pipeline.settings import Settings

FOLDER = "root://eospublic.cern.ch//eos/opendata/atlas/test"


def lay(root: Path, sizes: Mapping[str, int], seed: int = 1) -> list[ManifestFile]:
    """Files of random bytes below `root` in the portal's layout, as a manifest would list them."""
    draw = random.Random(seed)
    files = []
    for name, size in sizes.items():
        uri = f"{FOLDER}/{name}"
        path = root / portal_path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw.randbytes(size))
        files.append(ManifestFile(uri, size, adler32_file(path), None))
    return files


def lay_synthetic(settings: Settings, root: Path, made: Path) -> Path:
    """A mirror of synthetic files under the release's names and paths; its manifest's path.

    The samples are those of the channel's processes; the files themselves are made, or found from
    before, in `made`. The manifest says that they are synthetic, and nothing else differs from what
    the release says of these samples but the files, and the sum of weights that belongs to them.
    """
    skim = chosen_manifest(settings.data).skim(settings.channel.skim)
    samples = {}
    for process in settings.channel.processes.values():
        for name in process.samples:
            record = synthesize(settings, name, made)
            real = skim.sample(name)
            place = root / portal_path(real.files[0].uri)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.hardlink_to(record["path"])
            samples[name] = _plain(real, record)
    return write_manifest(
        root / "manifest.json.gz", settings.data.release, skim.name, skim.tree, samples
    )


def lay_real(real: Mapping[str, Path], root: Path) -> None:
    """Links below `root` from the portal's paths of URIs to real files that lie elsewhere."""
    for uri, path in real.items():
        place = root / portal_path(uri)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)


def write_manifest(
    path: Path,
    release: str,
    skim: str,
    tree: str,
    samples: Mapping[str, Any],
    synthetic: bool = True,
) -> Path:
    """A manifest's file in the JSON form that `read_manifest` reads."""
    content = {
        "schema": MANIFEST_SCHEMA,
        "release": release,
        "sources": {"tests": "0" * 64},
        "synthetic": synthetic,
        "skims": {skim: {"tree": tree, "samples": dict(samples)}},
    }
    path.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    return path


def plain_sample(name: str, files: Iterable[ManifestFile]) -> dict[str, Any]:
    """A data sample in the JSON form of a manifest."""
    return {
        "kind": "data",
        "dsid": None,
        "process": name,
        "files": [vars(f) for f in files],
        **dict.fromkeys(
            ("cross_section_pb", "filter_efficiency", "k_factor", "sum_of_weights",
             "sum_of_weights_squared", "n_events")
        ),
        "corrections": [],
        "warnings": [],
    }  # fmt: skip


def _plain(real: Sample, record: Mapping[str, Any]) -> dict[str, Any]:
    """A sample whose one file is the synthetic one of `record`."""
    file = {"uri": real.files[0].uri, **{k: record[k] for k in ("size", "adler32", "entries")}}
    known = (
        "kind", "dsid", "process", "cross_section_pb", "filter_efficiency", "k_factor",
        "sum_of_weights", "sum_of_weights_squared", "n_events",
    )  # fmt: skip
    return {
        **{name: record[name] for name in known},
        "files": [file],
        "corrections": [],
        "warnings": [],
    }
