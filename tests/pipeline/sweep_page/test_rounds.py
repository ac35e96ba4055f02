"""Rounds come with all that was said, and long texts are cut first."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.sweep_page.pieces import Pieces
from pipeline.sweep_page.rounds import Conversation, Part, RoundParts, conversation, level


@pytest.mark.parametrize(
    ("lengths", "cap", "most"),
    [
        ([1, 2, 3], 6, 3),
        ([1, 2, 3], 100, 3),
        ([10, 100, 100], 90, 40),
        ([50, 50], 0, 0),
        ([], 5, 0),
    ],
)
def test_the_longest_texts_are_cut_first(lengths: list[int], cap: int, most: int) -> None:
    assert level(lengths, cap) == most
    assert sum(min(n, most) for n in lengths) <= cap


def test_a_made_dialogue_has_its_parts(small: Path) -> None:
    found = conversation(small / "points" / "alpha-t9" / "convert" / "trajectory.jsonl")
    assert [r.number for r in found.rounds] == [1, 2, 3]
    first, last = found.rounds[0], found.rounds[-1]
    assert [p.kind for p in first.parts] == ["instructions", "code", "evidence", "review"]
    assert first.parts[0].text == "Keep the rows."
    assert first.parts[1].text == "def solve(events):\n    return events\n# round 1\n"
    assert first.parts[2].text == "failed: rows: expected 1000, found 1"
    assert first.parts[3].title == "Supervisor's review: revise"
    assert [p.tone for p in last.parts] == ["", "good", "good"]
    assert (first.calls, first.prompt_tokens, first.completion_tokens) == (3, 3, 3)


def test_what_is_cut_says_how_much() -> None:
    parts = (Part("words", "short", "a" * 10), Part("code", "long", "b" * 100))
    pieces = Pieces()
    shown = Conversation((RoundParts(1, 2, 3, 4, parts),)).to_json(pieces, "convert", 50)
    short, long = shown["rounds"][0]["parts"]
    assert "cut" not in short
    assert long["cut"] == 60
    assert pieces.add("b" * 40, "convert") == long["x"]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "trajectory.jsonl").write_text("no JSON\n")
    found = conversation(tmp_path / "trajectory.jsonl")
    assert found.rounds == ()
    assert "cannot be read: expected a step in line 1" in found.note
    assert conversation(tmp_path / "none.jsonl") == Conversation()
