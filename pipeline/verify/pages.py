"""Two pages of a report: the first number, text or value of a trial in which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import zip_longest
from typing import Any

from pipeline.verify.findings import Difference, quoted
from pipeline.verify.page_data import data_difference, unpacked

HASHES = ("meta", "content")
"""Tag and attribute that hold the hashes of a page's style and script."""


@dataclass(frozen=True)
class Token:
    """One thing on a page: a text, or what a tag is given; with where it stands."""

    place: str
    text: str
    drawing: bool


class Tokens(HTMLParser):
    """All texts, links and values of a page in their order, and its packed data by element."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Token] = []
        self.data: dict[str, Any] = {}
        self._section = "the top of the page"
        self._name: str | None = None
        self._cell = ""
        self._tag = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._tag, self._name = tag, given.get("id")
        if self._name:
            self._section = f"#{self._name}"
        if tag == "tr":
            self._cell = ""
        for name, value in attrs:
            drawing = name in ("src", "style", "class") or (tag, name) == HASHES
            self.found.append(Token(f"{self._where()} <{tag} {name}>", str(value), drawing))

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._cell = ""

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text:
            return
        drawing = self._tag in ("style", "script") and self.cdata_elem is not None
        if drawing and self._name and (document := unpacked(text)) is not None:
            self.data[self._name] = document  # a hidden number is a number
            return
        self.found.append(Token(self._where(), text, drawing))
        if self._tag in ("td", "th", "a") and not self._cell:
            self._cell = text

    def _where(self) -> str:
        return f"{self._section}, row {self._cell!r}" if self._cell else self._section


def of_pages(expected: str, found: str) -> Difference:
    """The first number or text that differs, then what is packed; a drawing if nothing else is."""
    page, told_page = Tokens(expected), Tokens(found)
    one, other = page.found, told_page.found
    for plain in (True, False):
        if not plain and (packed := data_difference(page.data, told_page.data)) is not None:
            return packed
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
