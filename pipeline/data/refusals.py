"""What a fileset is refused for: nothing there, runs that nobody has listed, missing files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.errors import IncompleteSampleError, LocationError
from pipeline.data.identity import basename
from pipeline.data.locate import Located
from pipeline.data.manifest import Sample
from pipeline.data.manifest_choice import chosen_manifest
from pipeline.settings import Settings


@dataclass(frozen=True)
class Wanted:
    """A sample that belongs into the fileset, and what the channel wants of it."""

    sample: Sample
    process: str
    role: str
    """signal, background, data, or other (not asked for, but there)."""
    left_out: int = 0
    """Files that data.share leaves out."""


def check_something_there(settings: Settings, located: Located, folder: Path) -> None:
    if located.paths:
        return
    first = ", ".join(p.name for p in located.unknown[:3])
    found = f"{len(located.unknown)} other ROOT files ({first})" if first else "no ROOT file"
    example = chosen_manifest(settings.data).skim(settings.channel.skim).files[0]
    raise LocationError(
        f"expected files of skim {settings.channel.skim} of release {settings.data.release} such "
        f"as {basename(example.uri)} in {folder} or below, found {found}; check data.location"
    )


def check_resolved(wanted: Sequence[Wanted], release: str) -> None:
    """Refuse runs of which nobody has told the files yet: they would seem to have none."""
    unresolved = [w.sample.name for w in wanted if not w.sample.resolved]
    if unresolved:
        raise IncompleteSampleError(
            f"the files of {len(unresolved)} samples of release {release} are not known, first "
            f"{unresolved[0]}: the portal lists them by run; get its lists with `ladon fetch "
            "--index`, or go on without these samples with data.partial=true"
        )


def check_readable(wanted: Sequence[Wanted], damaged: Mapping[str, str], location: str) -> None:
    """Refuse samples with files that lack entries, as `check_complete` does those without files.

    `damaged` says of a sample what is wrong with the first of them.
    """
    found = [w.sample.name for w in wanted if w.role != "other" and w.sample.name in damaged]
    if found:
        raise IncompleteSampleError(
            f"{len(found)} of {len(wanted)} samples have damaged files in {location}: sample "
            f"{found[0]}: {damaged[found[0]]}. Or go on without normalising them with "
            "data.partial=true"
        )


def check_complete(wanted: Sequence[Wanted], located: Located, location: str) -> None:
    """Refuse samples with missing files: their normalisation would be silently wrong."""
    incomplete = {
        w.sample.name: gone
        for w in wanted
        if w.role != "other" and (gone := located.missing(w.sample.files))
    }
    if not incomplete:
        return
    name, gone = next(iter(incomplete.items()))
    of = next(len(w.sample.files) for w in wanted if w.sample.name == name)
    first = ", ".join(basename(uris[0]) for uris in list(incomplete.values())[:3])
    raise IncompleteSampleError(
        f"{len(incomplete)} of {len(wanted)} samples are incomplete in {location}: sample {name} "
        f"misses {len(gone)} of {of} files; first missing: {first}. Put them there, give another "
        "data.location=PATH, or go on without normalising them with data.partial=true"
    )
