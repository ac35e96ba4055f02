"""Reading a reply: the one Python block or JSON object in it, or the fault as a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jsonschema

MAX_TEXT = 400_000
"""Characters of a reply that are read; no answer that we ask for is as long."""
_MAX_STARTS = 200
"""Opening braces that are tried as the beginning of a JSON object."""
_MAX_FAULTS = 5
"""Breaches of a schema that are told at a time."""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`\r\n]*?)[ \t]*")
_PYTHON = ("", "python", "py", "python3")

FaultKind = Literal[
    "no_block", "two_blocks", "unclosed_block", "empty_block", "no_json", "two_json", "bad_json",
    "schema", "too_long", "length", "refusal", "empty",
]  # fmt: skip
"""The last three are replies without an answer (`agents.errors.ReplyError`)."""


@dataclass(frozen=True)
class Fault:
    """Why a reply could not be read: a kind to count, a sentence that goes back to the model."""

    kind: FaultKind
    sentence: str
    category: str = "contract"
    """Word of the taxonomy under which a stage fails that ends with this fault."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a text: what stands behind the opening fence, and the lines within."""

    label: str
    content: str
    closed: bool


def python_block(text: str) -> str | Fault:
    """The code of the one Python block in `text`, ending in one newline.

    Prose around the block and blocks with another label do not matter; a block without a label
    counts as Python if none is labelled so.
    """
    if len(text) > MAX_TEXT:
        return _too_long(text)
    blocks = fenced_blocks(text)
    labelled = [block for block in blocks if block.label in _PYTHON and block.label]
    found = labelled or [block for block in blocks if block.label == ""]
    if not found:
        return Fault(
            "no_block",
            "expected one fenced block that begins with ```python, found no code block; put the "
            "whole module into one such block",
            category="refusal",
        )
    if len(found) > 1:
        return Fault(
            "two_blocks",
            f"expected one fenced Python block, found {len(found)}; put the whole module, imports "
            "included, into one block",
        )
    [block] = found
    if not block.closed:
        return Fault(
            "unclosed_block",
            "expected the fenced Python block to end with a line ```, found no such line; give "
            "the whole module again and close the block",
        )
    code = block.content.strip("\n")
    if not code.strip():
        return Fault("empty_block", "expected a module in the fenced Python block, found nothing")
    return code + "\n"


def json_object(text: str, schema: Mapping[str, Any]) -> dict[str, Any] | Fault:
    """The one JSON object in `text`, if it meets `schema`.

    Taken as it is if the whole text is one; else the only fenced block that holds one, or the
    only one that stands in the text.
    """
    if len(text) > MAX_TEXT:
        return _too_long(text)
    found = _objects(text)
    if isinstance(found, Fault):
        return found
    if len(found) > 1:
        return Fault(
            "two_json",
            f"expected one JSON object, found {len(found)}; reply with one object and nothing else",
        )
    [value] = found
    breaches = _breaches(value, schema)
    if breaches:
        return Fault("schema", f"expected another JSON object: {'; '.join(breaches)}")
    return value


def fenced_blocks(text: str) -> list[Block]:
    """All fenced blocks of a Markdown text, in order (CommonMark's rules for fences)."""
    blocks: list[Block] = []
    fence, label = "", ""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        match = _FENCE.fullmatch(line)
        if not fence and match:
            words = match[2].split()
            fence, label, lines = match[1], words[0].lower() if words else "", []
        elif fence and match and match[1].startswith(fence) and not match[2]:
            blocks.append(Block(label, "\n".join(lines), closed=True))
            fence = ""
        elif fence:
            lines.append(line)
    if fence:
        blocks.append(Block(label, "\n".join(lines), closed=False))
    return blocks


def _objects(text: str) -> list[dict[str, Any]] | Fault:
    """The JSON objects of a text, outermost ones, or the reason why there is none."""
    whole = _loaded(text)
    if isinstance(whole, dict):
        return [whole]
    fenced = [_loaded(block.content) for block in fenced_blocks(text) if block.closed]
    in_blocks = [value for value in fenced if isinstance(value, dict)]
    if in_blocks:
        return in_blocks
    found: list[dict[str, Any]] = []
    problem = ""
    at, starts = text.find("{"), 0
    while at >= 0 and starts < _MAX_STARTS:
        starts += 1
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            problem = problem or str(error)
            end = at + 1
        else:
            found.append(value)
        at = text.find("{", end)
    if found:
        return found
    if problem:
        return Fault(
            "bad_json",
            f"expected one JSON object, found text that is none ({problem}); reply with one "
            "object and nothing else",
        )
    return Fault(
        "no_json", "expected one JSON object, found none; reply with one object and nothing else"
    )


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _loaded(text: str) -> Any:
    try:
        return _DECODER.decode(text.strip())
    except (ValueError, RecursionError):
        return None


def _breaches(value: dict[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """What of `schema` the object does not meet, as sentences in a fixed order."""
    validator = jsonschema.Draft202012Validator(dict(schema))
    told = []
    for error in validator.iter_errors(value):
        where = ".".join(map(str, error.absolute_path)) or "the object"
        told.append(f"at {where}: {error.message[:200]}")
    return sorted(told)[:_MAX_FAULTS]


def _too_long(text: str) -> Fault:
    return Fault(
        "too_long", f"expected a reply of at most {MAX_TEXT} characters, found {len(text)}"
    )
