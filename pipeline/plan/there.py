"""Which files a run will find in its folder, where they are fewer or more than the channel's."""

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
    """The files that a run finds in its folder and converts, where they are not just `parts`.

    With `data.partial` those of them that are there. Those of other samples of the skim are among
    them, as in the fileset, unless a share is asked for. None where all of `parts` is planned and
    no more: nothing else is there, or it is on the network, or nothing is there, which the run says
    as it looks for files. What was not resolved has no name to find.
    """
    data = settings.data
    if data.synthetic or data.location is None or is_remote(data.location):
        return None
    if not data.partial and data.share != "all":
        return None
    try:
        folder = open_location(data.location, data.release)
    except LocationError:
        return None
    skim = manifest.skim(settings.channel.skim)
    there = locate(manifest, skim.name, folder).paths
    own = {s.name: s for part in parts for s in part.samples}
    others = [s for s in skim.samples.values() if s.name not in own] if data.share == "all" else []
    more = [s for sample in others if (s := _with(sample, there)).files]
    if not data.partial:
        return _and(parts, more) if more else None
    found = [*more, *(s for sample in own.values() if (s := _with(sample, there)).files)]
    bare = [replace(part, samples=(), hidden=None) for part in parts]
    return _and(bare, found) if there else None


def _and(parts: Sequence[Part], more: Sequence[Sample]) -> list[Part]:
    """The parts with more samples, data first; none without a sample."""
    found = []
    for kind in ("data", "mc"):
        own = tuple(s for s in more if s.kind == kind)
        same = [part for part in parts if part.kind == kind]
        part = same[0] if same else replace(parts[0], kind=kind, samples=(), hidden=None)
        if part.samples or own:
            found.append(replace(part, samples=part.samples + own))
    return found


def _with(sample: Sample, there: Container[str]) -> Sample:
    return replace(sample, files=tuple(f for f in sample.files if f.uri in there))


def said(settings: Settings, parts: Sequence[Part], here: Sequence[Part]) -> str:
    """How many files that is."""
    files, location = sum(len(part.files) for part in here), settings.data.location
    if settings.data.partial:
        return (
            f"data.partial: of the skim {files:,} files are in {location}; the left column is for "
            "those"
        )
    more = files - sum(len(part.files) for part in parts)
    return (
        f"{more:,} files of other samples of the skim are in {location}: a run converts them too, "
        "and the left column is with them"
    )
