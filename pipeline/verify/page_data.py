"""Packed data of a page: unpacked, so that a changed value is named by its trial and member."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from pipeline.verify.findings import Difference, differences, quoted

CELLS = "cells"
"""Element that holds the list of trials; see pipeline.sweep_page.trials."""
CHUNK = "chunk-"
"""Beginning of the names of elements that hold pieces; see pipeline.sweep_page.pieces."""
_ADDRESS = re.compile(r"\d+\.\d+")


def unpacked(text: str) -> Any:
    """What base64 of compressed JSON holds; None if it is something else."""
    try:
        content = gzip.decompress(base64.b64decode(text, validate=True))
        return json.loads(content)
    except (binascii.Error, OSError, EOFError, zlib.error, ValueError):
        return None


def data_difference(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Difference | None:
    """The first value in which the data of two pages differ; None if they hold the same.

    Both are element -> unpacked document. The list of trials is compared first, then what opens
    behind each trial, with its pieces put together, wherever on the page they stand.
    """
    if expected == found:
        return None
    trials, told = _trials(expected.get(CELLS)), _trials(found.get(CELLS))
    for place, one, other in differences(trials, told):
        if not place.endswith(".address"):
            return Difference(f"#{CELLS}: {place}", quoted(one), quoted(other))
    for trial, row in trials.items() if isinstance(trials, dict) else ():
        own, theirs = _details(expected, row), _details(found, told[trial])
        for place, one, other in differences(own, theirs):
            return Difference(f"#{CELLS}: {trial}: {place}", quoted(one), quoted(other))
    place, one, other = next(differences(dict(expected), dict(found)))
    return Difference(f"#{place}", quoted(one), quoted(other))


def _trials(document: Any) -> Any:
    """The list of trials with a name per row and its words put in; as it is if it has none."""
    try:
        columns, coded, words = document["columns"], set(document["coded"]), document["words"]
        rows = [
            {c: words[v] if c in coded and v is not None else v
             for c, v in zip(columns, row, strict=True)}
            for row in document["rows"]
        ]  # fmt: skip
        return {f"{row['point']}/{row['stage']}": row for row in rows}
    except (LookupError, TypeError, ValueError):
        return document


def _details(documents: Mapping[str, Any], row: Mapping[str, Any]) -> Any:
    """What opens behind a trial: its document, with every piece in the place of its address."""
    return _resolved(documents, row.get("address"), ())


def _resolved(documents: Mapping[str, Any], value: Any, within: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {k: _resolved(documents, v, within) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolved(documents, v, within) for v in value]
    if not isinstance(value, str) or value in within or not _ADDRESS.fullmatch(value):
        return value
    chunk, _, place = value.partition(".")
    try:
        piece = documents[f"{CHUNK}{chunk}"][int(place)]
    except (LookupError, TypeError):
        return value  # a number that only looks like an address
    return _resolved(documents, piece, (*within, value))
