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
    """Of the channel's files those that lie in the folder of a run with `data.partial`.

    None where all are planned: all are needed, they are on the network, or none is there, which
    the run says as it looks for them. What was not resolved has no name to find.
    """
    data = settings.data
    if not data.partial or data.synthetic or data.location is None or is_remote(data.location):
        return None
    try:
        folder = open_location(data.location, data.release)
    except LocationError:
        return None
    there = locate(manifest, settings.channel.skim, folder).paths
    found = [
        replace(part, samples=tuple(_with(s, there) for s in part.samples), hidden=None)
        for part in parts
    ]
    return found if any(part.files for part in found) else None


def _with(sample: Sample, there: Container[str]) -> Sample:
    return replace(sample, files=tuple(f for f in sample.files if f.uri in there))


def said(parts: Sequence[Part], all_parts: Sequence[Part], location: str | None) -> str:
    """How many of the channel's files that is."""
    here, every = (
        sum(len(p.files) + (p.hidden.files if p.hidden else 0) for p in some)
        for some in (parts, all_parts)
    )
    return (
        f"data.partial: {here:,} of {every:,} files of the channel are in {location}; the plan of "
        "the channel is for those"
    )
