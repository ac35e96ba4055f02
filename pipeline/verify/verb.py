"""`ladon verify RUN [--json] [--judge]`: print what was found; the exit code says how it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipeline.files import to_json
from pipeline.verify import verify
from pipeline.verify.telling import json_of, table_of

JSON, JUDGE = "--json", "--judge"
EXIT_PASSED, EXIT_FAILED = 0, 1


def print_verification(run: Path, options: Sequence[str], console: Console) -> int:
    """Verify a run and print the outcome: 0 if nothing that is there is wrong, else 1."""
    found = verify(run, judge_again=JUDGE in options)
    if JSON in options:
        print(to_json(json_of(found)), end="")
    else:
        console.print(table_of(found), soft_wrap=True)
    return EXIT_PASSED if found.passed else EXIT_FAILED
