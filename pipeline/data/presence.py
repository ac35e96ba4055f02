"""Presence: whether a location holds anything of a skim, and what is said of files left there."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.chosen import chosen_manifest
from pipeline.data.errors import LocationError
from pipeline.data.identity import basename
from pipeline.data.locate import Located
from pipeline.data.verify import Mode
from pipeline.settings import Settings


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


def streamed_note(located: Located, mode: Mode) -> list[str]:
    """What a reader must know of files that are read over the network; nothing if none is."""
    number = len(located.streamed)
    if not number:
        return []
    if mode == "none":
        return [f"{number} files are read over the network: nothing was verified"]
    said = "their sizes were compared with the manifest, their checksums were not verified"
    return [f"{number} files are read over the network, chunk by chunk: {said}"]
