"""What is given to a sandbox: the solution's code and the files that it may read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from executors.sandbox.base import SandboxError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


class SandboxInputError(SandboxError, ValueError):
    """A solution or an input file that cannot be given to a sandbox."""


def source(solution: Path | str) -> bytes:
    """The code of `solution`: the content of a file, or the text itself."""
    if isinstance(solution, str):
        return solution.encode()
    if not solution.is_file():
        raise SandboxInputError(f"expected a file with the solution, found none at {solution}")
    return solution.read_bytes()


def checked(readonly: Mapping[str, Path] | None) -> dict[str, Path]:
    """`readonly` with absolute paths, sorted by name; SandboxInputError for what cannot be."""
    found: dict[str, Path] = {}
    for name, path in sorted((readonly or {}).items()):
        if not NAME.fullmatch(name):
            raise SandboxInputError(
                f"expected a plain file name for an input of a sandbox, found {name!r}"
            )
        if not path.exists():
            raise SandboxInputError(f"expected input {name!r} at {path}, found nothing there")
        found[name] = path.resolve()
    return found
