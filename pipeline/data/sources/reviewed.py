"""The files that people review: read, and refused where an entry is not what it must be."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.data.errors import ManifestError
from pipeline.data.manifest import nearest_names
from pipeline.files import RunFileError, read_json

AGAIN = "put right there what was changed last"
KEYS = {
    "datasets": ("release", "process", "old", "new", "reason", "source"),
    "corrections": ("release", "sample", "quantity", "old", "new", "reason", "source"),
    "warnings": ("release", "sample", "text"),
    "entries": ("release", "skim", "sample", "entries", "source"),
    "published": ("release", "kind", "files", "events", "bytes", "rounded", "source"),
}
"""List of a reviewed file -> what each of its entries says."""
ROW = "row"
"""What an entry may say besides."""


def read_reviewed(path: Path, *names: str) -> dict[str, Any]:
    """A reviewed file with the lists `names`; ManifestError with the place of what is wrong.

    Nobody makes it anew but people: the advice that files of a run come with would lose it.
    """
    try:
        found = read_json(path)
    except RunFileError as error:
        raise ManifestError(
            f"expected JSON in the reviewed file {path}, found a fault: {error.__cause__}; {AGAIN}"
        ) from error
    if not isinstance(found, dict):
        raise ManifestError(
            f"expected a JSON object in the reviewed file {path}, found {type(found).__name__}; "
            f"{AGAIN}"
        )
    missing = [name for name in names if not isinstance(found.get(name), list)]
    if missing:
        raise ManifestError(
            f"expected the lists {', '.join(names)} in the reviewed file {path}, found no "
            f"{', '.join(missing)} among {', '.join(found)}; {AGAIN}"
        )
    for name in names:
        for number, entry in enumerate(found[name], 1):
            _check_keys(entry, KEYS[name], f"entry {number} of {name} in {path}")
    return found


def check_known(what: str, value: str, known: Iterable[str], where: object) -> None:
    """Refuse a name that is not among `known`: an entry that fits nothing would do nothing."""
    every = list(known)
    if value not in every:
        raise ManifestError(
            f"expected a known {what} in {where}, found {value!r}; {nearest_names(value, every)}"
        )


def named(entry: dict[str, Any], key: str) -> list[str]:
    """The names of an entry below `key`: it holds one, or a list of them."""
    found = entry[key]
    return [found] if isinstance(found, str) else list(found)


def _check_keys(entry: Any, keys: tuple[str, ...], where: str) -> None:
    found = set(entry) if isinstance(entry, dict) else set()
    absent = [key for key in keys if key not in found]
    strange = sorted(found - {*keys, ROW})
    if absent or strange:
        said = [f"no {', '.join(absent)}"] * bool(absent)
        said += [f"{', '.join(strange)}, which nothing reads"] * bool(strange)
        raise ManifestError(
            f"expected {', '.join(keys)} in {where}, found {' and '.join(said)}; {AGAIN}"
        )
