"""Two files of a report: the first place in which they differ, in the words of a reader."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pipeline.verify.findings import differences, quoted


@dataclass(frozen=True)
class Difference:
    """Where two files differ first; `drawing` if that is an image or its style, and no number."""

    place: str
    expected: str
    found: str
    drawing: bool = False


def first_difference(expected: Path, found: Path) -> Difference | None:
    """The first difference of two files of the same kind; None if their bytes are the same."""
    if expected.read_bytes() == found.read_bytes():
        return None
    try:
        if expected.suffix == ".html":
            return _of_pages(_text(expected), _text(found))
        if expected.suffix == ".csv":
            return _of_tables(_text(expected), _text(found))
        if expected.suffix == ".json":
            return _of_json(json.loads(_text(expected)), json.loads(_text(found)))
    except ValueError as error:
        return Difference("a file that can be read", "the form of its kind", str(error))
    return Difference("the drawing", "the bytes drawn again", "other bytes", drawing=True)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _of_json(expected: Any, found: Any) -> Difference:
    for place, one, other in differences(expected, found):
        return Difference(place, quoted(one), quoted(other))
    return Difference("the layout of the file", "canonical JSON", "the same values otherwise")


def _of_tables(expected: str, found: str) -> Difference:
    one, other = list(csv.reader(expected.splitlines())), list(csv.reader(found.splitlines()))
    header = one[0] if one else []
    for number, (row, told) in enumerate(zip_longest(one, other), start=1):
        if row is None or told is None:
            return Difference("number of lines", str(len(one)), str(len(other)))
        for column, (cell, said) in enumerate(zip_longest(row, told)):
            if cell != said:
                name = header[column] if column < len(header) else f"column {column + 1}"
                return Difference(f"line {number}, {name}", quoted(cell), quoted(said))
    return Difference("the layout of the file", "the same cells", "otherwise written")


@dataclass(frozen=True)
class Token:
    """One thing on a page: a text, or what a tag is given; with where it stands."""

    place: str
    text: str
    drawing: bool


class Tokens(HTMLParser):
    """All texts, and all links and values, of a page in their order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Token] = []
        self._section = "the top of the page"
        self._cell = ""
        self._tag = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._tag = tag
        if given.get("id"):
            self._section = f"#{given['id']}"
        if tag == "tr":
            self._cell = ""
        for name, value in attrs:
            drawing = name in ("src", "style", "class")
            self.found.append(Token(f"{self._where()} <{tag} {name}>", str(value), drawing))

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text:
            return
        drawing = self._tag in ("style", "script") and self.cdata_elem is not None
        self.found.append(Token(self._where(), text, drawing))
        if self._tag in ("td", "th", "a") and not self._cell:
            self._cell = text

    def _where(self) -> str:
        return f"{self._section}, row {self._cell!r}" if self._cell else self._section


def _of_pages(expected: str, found: str) -> Difference:
    """The first number or text that differs; a drawing only if nothing else does."""
    one, other = Tokens(expected).found, Tokens(found).found
    for plain in (True, False):
        first = [t for t in one if t.drawing != plain]
        second = [t for t in other if t.drawing != plain]
        for token, told in zip_longest(first, second):
            if token is None:
                return Difference(told.place, "nothing more", quoted(told.text), not plain)
            if told is None:
                return Difference(token.place, quoted(token.text), "nothing more", not plain)
            if token.text != told.text:
                texts = _around(token.text, told.text)
                return Difference(token.place, *texts, drawing=not plain)
    return Difference("its markup", "the page drawn again", "the same texts otherwise", True)


def _around(one: str, other: str, width: int = 60) -> tuple[str, str]:
    """Two texts, cut to where they differ first."""
    pairs = zip(one, other, strict=False)
    place = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    start = max(0, place - width // 2)
    cut = ["…" if start else "", ""]
    texts = [f"{cut[0]}{t[start : start + width]}" for t in (one, other)]
    return repr(texts[0]), repr(texts[1])
