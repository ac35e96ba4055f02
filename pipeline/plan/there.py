"""Which files a run will find, where it is content with a part of them."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from executors.base import is_remote
from pipeline.data.errors import LocationError
from pipeline.data.locate import locate, open_location
from pipeline.data.manifest import Manifest, Sample
from pipeline.plan.inventory import Part
from pipeline.settings import Settings


def parts_there(settings: Settings, manifest: Manifest, parts: Sequence[Part]) -> list[Part] | None:
    """The files that a run with `data.partial` finds in its folder and converts.

    Those of other samples of the skim are among them, as in the fileset. None where all of `parts`
    is planned: all is needed, it is on the network, or nothing is there, which the run says as it
    looks for files. What was not resolved has no name to find.
    """
    data = settings.data
    if not data.partial or data.synthetic or data.location is None or is_remote(data.location):
        return None
    try:
        folder = open_location(data.location, data.release)
    except LocationError:
        return None
    skim = manifest.skim(settings.channel.skim)
    there = locate(manifest, skim.name, folder).paths
    samples = [s for part in parts for s in part.samples]
    if data.share == "all":
        samples = list(skim.samples.values())
    found = [s for sample in samples if (s := _with(sample, there)).files]
    kinds = [k for k in ("data", "mc") if any(s.kind == k for s in found)]
    return [
        Part(skim.release, skim.name, kind, tuple(s for s in found if s.kind == kind))
        for kind in kinds
    ] or None


def _with(sample: Sample, there: Container[str]) -> Sample:
    return replace(sample, files=tuple(f for f in sample.files if f.uri in there))


def said(parts: Sequence[Part], location: str | None) -> str:
    """How many files that is."""
    files = sum(len(part.files) for part in parts)
    return (
        f"data.partial: of the skim {files:,} files are in {location}; the left column is for those"
    )
