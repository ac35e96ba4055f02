"""A verification as a person reads it, and as a program does."""

from __future__ import annotations

from typing import Any

from rich.console import Group as Parts
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.verify.findings import Verification

VERIFY_SCHEMA = 1
FOLLOWING = ("results", "report")
FIRST = (
    "mend what failed in the first groups before results and report: these are compared with the "
    "files as they lie there, and `ladon report` would draw what was changed"
)
"""What a reader must know where the files of stages are wrong and the report differs from them."""
SHOWN = 30
"""Failures, missing files and notes that are listed for a person; all of them are in the JSON."""


def table_of(verification: Verification) -> RenderableType:
    """A row per group, a sentence per failure, what is missing, and the outcome in one line."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("group", "checked", "failed", "missing"):
        table.add_column(name, justify="left" if name == "group" else "right")
    for group in verification.groups:
        failed = Text(str(len(group.failures)), "bold red") if group.failures else Text("–")
        missing = str(len(group.missing) or "–")
        table.add_row(group.name, f"{group.checked:,}", failed, missing)
    parts: list[RenderableType] = [table]
    failures = verification.failures
    parts += [Text(f"failed  {f.group}: {f.sentence}", "red") for f in failures[:SHOWN]]
    if len(failures) > SHOWN:
        parts.append(Text(f"and {len(failures) - SHOWN} more (all of them: --json)", "red"))
    missing_files = verification.missing
    parts += [Text(f"missing {name}", "yellow") for name in missing_files[:SHOWN]]
    if len(missing_files) > SHOWN:
        parts.append(Text(f"and {len(missing_files) - SHOWN} more missing", "yellow"))
    notes = [*dict.fromkeys(note for group in verification.groups for note in group.notes)]
    parts += [Text(f"note    {note}", "dim") for note in notes[:SHOWN]]
    if len(notes) > SHOWN:
        parts.append(Text(f"and {len(notes) - SHOWN} more notes (all of them: --json)", "dim"))
    if {f.group for f in failures} & set(FOLLOWING) and {f.group for f in failures} - set(
        FOLLOWING
    ):
        parts.append(Text(FIRST, "yellow"))
    style = "bold green" if verification.passed else "bold red"
    return Parts(*parts, Text(sentence_of(verification), style))


def sentence_of(verification: Verification) -> str:
    """The outcome in one line."""
    checked = f"{verification.run}: {verification.checked:,} checks"
    if verification.failures:
        return f"{checked}, {len(verification.failures)} failed"
    if verification.missing:
        return (
            f"{checked}, none failed; the run is not finished, {len(verification.missing)} files "
            "are missing: give its command again"
        )
    return f"{checked}, none failed; every number is that of its files"


def json_of(verification: Verification) -> dict[str, Any]:
    """The same for a program.

    {"schema": 1, "run": "...", "passed": true, "complete": true, "checked": 0, "groups": [
     {"name": "...", "checked": 0, "failures": [{"file": "...", "expected": "...", "found": "...",
      "remedy": "...", "sentence": "..."}], "missing": ["..."], "notes": ["..."]}]}
    """
    return {
        "schema": VERIFY_SCHEMA,
        "run": verification.run,
        "passed": verification.passed,
        "complete": not verification.missing,
        "checked": verification.checked,
        "groups": [
            {
                "name": group.name,
                "checked": group.checked,
                "failures": [
                    {
                        "file": failure.file,
                        "expected": failure.expected,
                        "found": failure.found,
                        "remedy": failure.remedy,
                        "sentence": failure.sentence,
                    }
                    for failure in group.failures
                ],
                "missing": group.missing,
                "notes": group.notes,
            }
            for group in verification.groups
        ],
    }
