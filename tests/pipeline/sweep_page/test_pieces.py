"""Pieces are kept once, come back as they were, and end no script element."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from pipeline.sweep_page.pieces import CHUNK, Pieces, to_text


def _at(chunks: list[str], address: str) -> Any:
    chunk, place = map(int, address.split("."))
    return json.loads(gzip.decompress(base64.b64decode(chunks[chunk])))[place]


def test_equal_values_share_an_address() -> None:
    pieces = Pieces()
    first = pieces.add({"b": 1, "a": "text"}, "convert")
    assert pieces.add({"a": "text", "b": 1}, "classify") == first
    assert pieces.add("text", "convert") == "0.1"
    assert (pieces.kept, pieces.added) == (2, 3)


def test_values_come_back() -> None:
    pieces = Pieces()
    values = ["", "a\u2028b</script>\ud800", {"x": [1.5, None]}, "x" * CHUNK, "y" * 10]
    addresses = [pieces.add(value, "convert") for value in values]
    assert [_at(pieces.chunks(), a) for a in addresses] == values
    assert [a.split(".")[0] for a in addresses] == ["0", "0", "0", "1", "2"]


def test_groups_have_chunks_of_their_own() -> None:
    pieces = Pieces()
    assert [pieces.add(n, group) for n, group in ((1, "a"), (2, "b"), (3, "a"))] == [
        "0.0", "1.0", "0.1",
    ]  # fmt: skip


def test_the_same_pieces_give_the_same_bytes() -> None:
    def made() -> list[str]:
        pieces = Pieces()
        for n in range(50):
            pieces.add({"n": n, "text": "word " * n}, "convert")
        return pieces.chunks()

    assert made() == made()


def test_no_text_ends_a_script_element() -> None:
    text = to_text("</script><!-- & \u2028 é")
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert json.loads(text) == "</script><!-- & \u2028 é"
