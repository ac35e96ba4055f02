"""The findings for people (a table) and for programs (JSON of findings.schema.json)."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.doctor.finding import GROUPS, Finding, can_run
from pipeline.settings import Settings

SCHEMA = 1
SCHEMA_PATH = Path(__file__).with_name("findings.schema.json")
WIDTH = 160
"""Of the table where nobody looks at it in a terminal."""


def document(settings: Settings, findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings as plain JSON types; the form is that of findings.schema.json."""
    return {
        "schema": SCHEMA,
        "site": settings.site.name,
        "scheduler": settings.site.scheduler,
        "host": socket.gethostname(),
        "can_run": can_run(findings),
        "findings": [finding.to_dict() for finding in ordered(findings)],
    }


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """By place (here first), then by group; within a group as they were found."""
    places = list(dict.fromkeys([None, *(f.node for f in findings)]))
    return sorted(findings, key=lambda f: (places.index(f.node), GROUPS.index(f.group)))


def print_table(console: Console, settings: Settings, findings: Sequence[Finding]) -> None:
    """One row per finding, grouped; below it whether the site can run, and if not why."""
    if not console.is_terminal:
        console.width = WIDTH
    console.print(table(findings))
    said = verdict(settings.site.name, findings)
    console.print(said, markup=False, highlight=False, soft_wrap=True)


def table(findings: Sequence[Finding]) -> Table:
    """Mark, what was looked for, what was found, and below that the next step."""
    made = Table("", box=None, pad_edge=False, show_header=False)
    made.add_column("name", no_wrap=True)
    made.add_column("found", ratio=3)
    made.add_column("next step", ratio=2)
    section: tuple[str | None, str] | None = None
    for finding in ordered(findings):
        if section != (finding.node, finding.group):
            section = (finding.node, finding.group)
            title = finding.group if finding.node is None else f"{finding.group} on {finding.node}"
            made.add_row("", Text(title, style="bold"), "", "")
        said = Text(finding.said, overflow="fold")
        step = Text(f"→ {finding.next_step}" if finding.next_step else "", overflow="fold")
        made.add_row(_mark(finding), finding.name, said, step)
    return made


def _mark(finding: Finding) -> Text:
    if finding.state == "ok":
        return Text("✓", style="green")
    if finding.state == "warning":
        return Text("!", style="yellow")
    return Text("✗", style="red" if finding.required else "dim")


def verdict(site: str, findings: Sequence[Finding]) -> str:
    """One sentence: the site can run, or what is missing and where."""
    fatal = [f for f in ordered(findings) if f.fatal]
    if not fatal:
        return f"site={site} can run here"
    return "\n".join(
        [
            f"site={site} cannot run here; what is missing:",
            *(f"  {_place(f)}{f.name}: {f.said}; next: {f.next_step}" for f in fatal),
        ]
    )


def _place(finding: Finding) -> str:
    return "" if finding.node is None else f"on node {finding.node}: "
