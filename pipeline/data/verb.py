"""`ladon data`: list what ATLAS has opened, show one part of it, compare two manifests.

A release is named by its official key, or as `data=` of a run names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline.configure import release_named
from pipeline.data.difference import compare, manifest_named, print_difference, to_plain
from pipeline.data.listing import list_releases
from pipeline.data.manifest import known_manifests, nearest_names
from pipeline.data.showing import show
from pipeline.files import to_json
from pipeline.usage import UsageError

VERBS = ("list", "show", "diff")
AGAINST = "--against"
USAGE = (
    "ladon data [list] [RELEASE …], ladon data show RELEASE[/SKIM[/SAMPLE]], "
    "or ladon data diff OLD NEW | RELEASE --against FOLDER"
)


def data(arguments: Sequence[str], console: Console) -> int:
    """Run `ladon data …`; 0, or UsageError and ManifestError as sentences."""
    words, folder = _against([a for a in arguments if a != "--json"])
    as_json = "--json" in arguments
    if not words or words[0] not in VERBS:
        if words and _by_key(words[0]) not in known_manifests():
            raise UsageError(
                f"expected {', '.join(VERBS)} or a release after `ladon data`, found {words[0]!r}; "
                f"{nearest_names(words[0], [*VERBS, *known_manifests()])}"
            )
        words = ["list", *words]
    verb, names = words[0], [_by_key(word) for word in words[1:]]
    if folder is not None and verb != "diff":
        raise UsageError(f"{AGAINST} belongs to `ladon data diff`; the form is {USAGE}")
    plain = _run(verb, names, folder, as_json, console)
    if plain is not None:
        print(to_json(plain), end="")
    return 0


def _by_key(name: str) -> str:
    """`opendata_2025/GamGam`, as `data=` names a release, with the official key in its place."""
    choice, slash, rest = name.strip("/").partition("/")
    known = choice in known_manifests()
    release = None if known or Path(choice).name != choice else release_named(choice)
    return name if release is None else f"{release}{slash}{rest}"


def _run(
    verb: str, names: list[str], folder: Path | None, as_json: bool, console: Console
) -> dict[str, Any] | None:
    if verb == "list":
        return list_releases(console, names, as_json)
    if verb == "show":
        if len(names) != 1:
            raise UsageError(f"expected one RELEASE[/SKIM[/SAMPLE]], found {len(names)}: {USAGE}")
        return show(console, names[0], as_json)
    wanted = 2 if folder is None else 1
    if len(names) != wanted:
        raise UsageError(f"expected {wanted} manifests to compare, found {len(names)}: {USAGE}")
    if folder is None:
        old, new = (manifest_named(name) for name in names)
        called = (names[0], names[1])
    else:
        old, new = manifest_named(names[0], folder), manifest_named(names[0])
        called = (f"{names[0]} in {folder}", f"{names[0]} of this Ladon")
    found = compare(old, new, called)
    if as_json:
        return to_plain(found)
    print_difference(console, found)
    return None


def _against(words: list[str]) -> tuple[list[str], Path | None]:
    if AGAINST not in words:
        return words, None
    at = words.index(AGAINST)
    if at + 1 >= len(words):
        raise UsageError(f"expected a folder after {AGAINST}, found the end: {USAGE}")
    return words[:at] + words[at + 2 :], Path(words[at + 1]).expanduser()
