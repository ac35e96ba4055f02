"""The table that `ladon data` prints: releases, skims, samples and sizes that manifests know."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from pipeline.data.manifest import Skim, known_manifests, load_manifest

GIGABYTE = 1e9


def skim_row(skim: Skim) -> tuple[str, ...]:
    """Release, skim, tree, data samples, simulated samples, files and size in GB of a skim."""
    data = [s for s in skim.samples.values() if s.kind == "data"]
    corrected = sum(bool(s.corrections) for s in skim.samples.values())
    return (
        skim.release,
        skim.name,
        skim.tree,
        str(len(data)),
        str(len(skim.samples) - len(data)),
        str(len(skim.files)),
        f"{sum(f.size for f in skim.files) / GIGABYTE:.2f}",
        str(corrected),
    )


def print_releases(console: Console, names: Sequence[str] = ()) -> None:
    """Print one row per skim of the named releases, or of all."""
    table = Table(title="ATLAS Open Data that Ladon has manifests of")
    for heading in ("release", "skim", "tree", "data", "simulated", "files", "GB", "corrected"):
        table.add_column(heading, justify="left" if heading in ("release", "skim") else "right")
    for release in names or known_manifests():
        for skim in load_manifest(release).skims.values():
            table.add_row(*skim_row(skim))
    console.print(table)
