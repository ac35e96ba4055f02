"""`ladon export RUN`: what the command line asks for, and what is printed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from pipeline.crate import ExportError, export_run

WITHOUT_OUTPUTS = "--without-outputs"
VALUES = {"--output": "output", "--author": "author", "--licence": "licence"}


@dataclass(frozen=True)
class Wanted:
    """The options of the verb.

    `author` is a name or an ORCID address, `licence` an SPDX name or an address: neither is
    guessed.
    """

    output: str | None = None
    author: str | None = None
    licence: str | None = None
    outputs: bool = True

    @classmethod
    def read(cls, arguments: Sequence[str]) -> tuple[Wanted, list[str]]:
        """The options among `arguments`, and the words that are left.

        Raises ExportError for an option without its value.
        """
        given: dict[str, str] = {}
        rest: list[str] = []
        words = iter(arguments)
        for word in words:
            if word in VALUES:
                value = next(words, None)
                if value is None or value.startswith("--"):
                    raise ExportError(f"expected a value after {word}, found {value or 'none'}")
                given[VALUES[word]] = value
            elif word != WITHOUT_OUTPUTS:
                rest.append(word)
        return cls(**given, outputs=WITHOUT_OUTPUTS not in arguments), rest


def export(run: Path, wanted: Wanted, console: Console) -> int:
    """Export a run, by default to `<run>-crate.zip` beside it, and say where it is."""
    beside = run.parent / f"{run.name}-crate.zip"
    target = beside if wanted.output is None else Path(wanted.output)
    made = export_run(run, target, wanted.outputs, wanted.author, wanted.licence)
    console.print(
        f"{made.path}: {made.files} files, {made.size / 1e6:.1f} MB, as a Workflow Run RO-Crate",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    return 0
