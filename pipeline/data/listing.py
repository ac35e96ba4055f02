"""`ladon data list`: the releases and skims that ATLAS has opened, and how much there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from pipeline.data.manifest import (
    Manifest,
    Published,
    known_manifests,
    load_manifest,
    manifest_folder,
)
from pipeline.data.sources.published import GENERATOR, read_published
from pipeline.data.totals import (
    Total,
    contradiction,
    count_text,
    data_and_simulated,
    of_release,
    of_skims,
    together,
    unlisted,
)

HEADINGS = ("release", "skim", "samples", "files", "resolved", "events", "size")


@dataclass(frozen=True)
class Row:
    """One line of the listing."""

    release: str
    skim: str | None
    """None for a whole release."""
    data: int | None
    """Samples with data; None where no sample is known."""
    simulated: int | None
    total: Total

    def cells(self) -> tuple[str, ...]:
        """What the table shows of it."""
        total = self.total
        return (
            self.release,
            self.skim or "",
            "" if self.data is None else count_text(self.data + (self.simulated or 0)),
            count_text(total.files),
            count_text(total.resolved),
            count_text(total.events),
            total.size,
        )


def rows_of(manifest: Manifest) -> list[Row]:
    """One row per skim of a release, and one for all of them if there are several."""
    rows = [
        Row(manifest.release, name, *data_and_simulated(manifest.skims[name]), total)
        for name, total in of_skims(manifest).items()
    ]
    if len(rows) == 1:
        return rows
    data = sum(r.data or 0 for r in rows)
    simulated = sum(r.simulated or 0 for r in rows)
    return [*rows, Row(manifest.release, None, data, simulated, of_release(manifest))]


def generator_rows(said: dict[str, dict[str, Published]]) -> list[Row]:
    """Releases of generator-level files, which are published and not listed."""
    return [
        Row(release, GENERATOR, None, None, unlisted(p.files, p.events, p.bytes, p.rounded))
        for release, kinds in said.items()
        for kind, p in kinds.items()
        if kind == GENERATOR
    ]


def list_releases(console: Console, names: Sequence[str], as_json: bool) -> dict[str, Any] | None:
    """Print the named releases, or all that is open; the JSON form instead if asked for."""
    manifests = [load_manifest(name) for name in names or known_manifests()]
    rows = [rows_of(m) for m in manifests]
    others = [] if names else generator_rows(read_published(manifest_folder()))
    total = together([of_release(m) for m in manifests] + [r.total for r in others])
    if as_json:
        return {
            "releases": [_release_json(m, r) for m, r in zip(manifests, rows, strict=True)],
            "unlisted": [_row_json(r) for r in others],
            "total": _total_json(total),
        }
    console.print(_table([*rows, others], total if len(rows) > 1 else None))
    for note in _notes(manifests, total):
        console.print(note, highlight=False, markup=False, soft_wrap=True)
    return None


def _table(groups: Iterable[list[Row]], total: Total | None) -> Table:
    """The table for the terminal, narrow enough for 80 columns."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in HEADINGS:
        left = heading in ("release", "skim")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    for group in groups:
        for row in group:
            table.add_row(*row.cells(), style="bold" if row.skim is None else None)
        table.add_row()
    if total is not None:
        table.add_row(*Row("together", None, None, None, total).cells(), style="bold")
    return table


def _notes(manifests: Iterable[Manifest], total: Total) -> list[str]:
    notes = [said for m in manifests if (said := contradiction(m)) is not None]
    if total.unresolved:
        waiting = [m.release for m in manifests if of_release(m).unresolved]
        notes.append(
            f"unresolved: {total.unresolved:,} files of {', '.join(waiting)} are known by the "
            "indexes of their runs only; `ladon fetch --index` gets those"
        )
    if total.unlisted:
        notes.append(f"{total.unlisted:,} generator-level files are published and not listed here")
    return notes


def _release_json(manifest: Manifest, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "release": manifest.release,
        **_total_json(of_release(manifest)),
        "published": {kind: asdict(p) for kind, p in manifest.published.items()},
        "skims": [_row_json(r) for r in rows if r.skim is not None],
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "release": row.release,
        "skim": row.skim,
        "data_samples": row.data,
        "simulated_samples": row.simulated,
        **_total_json(row.total),
    }


def _total_json(total: Total) -> dict[str, Any]:
    return {
        "files": total.files,
        "resolved": total.resolved,
        "unresolved": total.unresolved,
        "unlisted": total.unlisted,
        "events": total.events,
        "bytes": total.bytes,
        "bytes_rounded_to": total.rounded,
    }
