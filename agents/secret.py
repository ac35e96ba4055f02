"""The API key: read from a private file or a named environment variable, and never shown."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from agents.errors import ApiKeyError

SHORTEST = 8
"""Characters a key has at least; a shorter one could not be taken out of texts safely."""
REMOVED = "[api key]"


class Secret:
    """A text that no repr, log, pickle or comparison gives away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> str:
        raise TypeError("expected a secret to stay in its process, found an attempt to pickle it")

    def reveal(self) -> str:
        """The text itself; for the header of a request and nothing else."""
        return self._text

    def removed_from(self, text: str) -> str:
        """`text` with every occurrence of the secret, as it is or in JSON, replaced by a mark."""
        quoted = json.dumps(self._text)[1:-1]
        for form in (self._text, quoted, quoted.replace("/", "\\/")):
            text = text.replace(form, REMOVED)
        return text


def read_api_key(file: str | None, variable: str | None) -> Secret | None:
    """The key from `file` or from the environment variable `variable`; None if neither is named.

    Raises ApiKeyError if the file is missing or others may read it, if the variable is not set,
    or if what is there cannot be a key. No message holds any part of what was found.
    """
    if file is not None:
        return _checked(_read_private(Path(file).expanduser()), f"the API key file {file!r}")
    if variable is not None:
        where = f"the environment variable {variable!r}"
        if variable not in os.environ:
            raise ApiKeyError(
                f"expected the API key in {where}, found it unset; set it, or name a file with "
                "model.api_key_file"
            )
        return _checked(os.environ[variable], where)
    return None


def _read_private(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            mode = stat.S_IMODE(os.fstat(handle.fileno()).st_mode)
            content = handle.read(10_000)
    except OSError as error:
        raise ApiKeyError(
            f"expected the API key in the file '{path}', found {error.strerror or error!r}; "
            "write the key there with mode 0600"
        ) from None
    if mode & 0o077:
        raise ApiKeyError(
            f"expected mode 0600 for the API key file '{path}', found {mode:04o}: others may read "
            f"it; run: chmod 600 '{path}'"
        )
    return content.decode("latin-1")


def _checked(text: str, where: str) -> Secret:
    key = text.strip()
    if len(key) < SHORTEST or not key.isascii() or not key.isprintable() or " " in key:
        raise ApiKeyError(
            f"expected one line of at least {SHORTEST} printable ASCII characters in {where}, "
            "found something else (it is not shown)"
        )
    return Secret(key)
