"""The branches that convert reads for the reference solution of some settings."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.chosen import expanded
from pipeline.data.manifest_choice import chosen_manifest
from pipeline.files import sha256_file
from pipeline.settings import Settings
from pipeline.stages.convert.store import ChunkStore
from pipeline.stages.convert.task import ConvertTask
from pipeline.stages.registry import reference_path


def declared(settings: Settings) -> list[str]:
    """Branches as the files spell them: what the solution declares, event identity, blinding.

    Raises ContractError or ReleaseError where there is no reference or no door for the release.
    """
    solution = reference_path(settings, "convert")
    sha256 = sha256_file(solution)
    listed = chosen_manifest(settings.data).skim(settings.channel.skim).samples
    data = frozenset(
        name
        for p in settings.channel.processes.values()
        if p.role == "data"
        for name in expanded(p.samples, listed)
    )
    task = ConvertTask(
        str(solution), sha256, settings.channel, settings.data.release, data,
        ChunkStore(Path(), ""), {},
    )  # fmt: skip
    return [branch.removesuffix("?") for branch in task.branches]
