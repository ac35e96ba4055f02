"""Files of a mirror: contents under the portal's paths, and a manifest that lists them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.data.identity import portal_path
from pipeline.data.manifest import ManifestFile, Sample
from pipeline.data.manifest_choice import chosen_manifest
from pipeline.data.manifest_form import MANIFEST_SCHEMA, columns, write_manifest
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
            samples[name] = plain_sample(real, record)
    path = root / "manifest.json.gz"
    write_manifest(path, manifest_of(settings, samples))
    return path


def lay_real(real: Mapping[str, Path], root: Path) -> None:
    """Links below `root` from the portal's paths of URIs to real files that lie elsewhere."""
    for uri, path in real.items():
        place = root / portal_path(uri)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)


def manifest_of(
    settings: Settings, samples: Mapping[str, Any], synthetic: bool = True
) -> dict[str, Any]:
    """The JSON form of a manifest with these samples in the skim of the settings' channel."""
    none = {"files": 0, "events": None, "bytes": 0, "rounded": 1, "source": "tests"}
    channel = settings.channel
    return {
        "schema": MANIFEST_SCHEMA,
        "release": settings.data.release,
        "sources": {"tests": "0" * 64},
        "published": dict.fromkeys(("data", "mc", "total"), none),
        "left_out": [],
        "synthetic": synthetic,
        "skims": {channel.skim: {"tree": channel.tree, "samples": dict(samples)}},
    }


def plain_sample(real: Sample, record: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON form of a sample whose one file is the synthetic one of `record`."""
    file = ManifestFile(real.files[0].uri, record["size"], record["adler32"], record["entries"])
    taken = (
        "kind", "dsid", "process", "cross_section_pb", "filter_efficiency", "k_factor",
        "sum_of_weights", "sum_of_weights_squared", "n_events",
    )  # fmt: skip
    return {
        **{name: record[name] for name in taken},
        "files": columns([file]),
        "corrections": [],
        "warnings": [],
        "campaign": real.campaign,
        "facts_source": real.facts_source,
        "indexes": [],
    }
