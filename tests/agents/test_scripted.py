"""A script answers by the number of the call, and says what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.chat import Call, Message, Role
from agents.errors import ScriptError
from agents.scripted import ScriptedModel, read_script
from tests.agents.bench import script

ASK = (Message("user", "?"),)


def test_replies_come_from_their_files(tmp_path: Path) -> None:
    folder = script(tmp_path / "s", ("supervisor", "{}"), ("coder", "<think>so</think>\nμ = 1"))
    model = ScriptedModel([folder])
    first = model.complete(ASK, seed=5, call=Call("convert", "supervisor", 1, 1))
    second = model.complete(ASK, seed=6, call=Call("convert", "coder", 1, 2))
    assert (first.text, first.reasoning, first.finish_reason) == ("{}", "", "stop")
    assert (second.text, second.reasoning) == ("μ = 1", "so")
    assert second.sampling == {"seed": 6}
    assert first.usage.total == 0
    assert model.identity["scripted"] is True
    assert str(tmp_path) not in repr(model.identity)


def test_a_reply_can_end_otherwise(tmp_path: Path) -> None:
    text = "<!-- finish_reason: length -->\nhalf"
    model = ScriptedModel([script(tmp_path / "s", ("coder", text))])
    reply = model.complete(ASK, seed=1, call=Call("convert", "coder", 1, 1))
    assert (reply.text, reply.finish_reason) == ("half", "length")


def test_a_reply_that_is_missing(tmp_path: Path) -> None:
    model = ScriptedModel([script(tmp_path / "s", ("coder", "a"))], name="tale")
    expected = r"'01-supervisor.md' \(or 'supervisor.md'\) of the script 'tale'.*01-coder.md"
    with pytest.raises(ScriptError, match=expected):
        model.complete(ASK, seed=1, call=Call("convert", "supervisor", 1, 1))
    with pytest.raises(ScriptError, match=r"stage 'measure' \(round 2\), found \[\]"):
        model.complete(ASK, seed=1, call=Call("measure", "coder", 2, 7))
    with pytest.raises(ScriptError, match="which call of which stage"):
        model.complete(ASK, seed=1)


def test_the_first_folder_with_the_stage_is_taken_whole(tmp_path: Path) -> None:
    own = script(tmp_path / "own", ("coder", "own"))
    other = script(tmp_path / "other", ("coder", "other"), ("supervisor", "{}"))
    script(tmp_path / "other2", ("coder", "measured"), stage="measure")
    model = ScriptedModel([tmp_path / "none", own, other, tmp_path / "other2"])
    assert model.complete(ASK, seed=1, call=Call("convert", "coder", 1, 1)).text == "own"
    assert model.complete(ASK, seed=1, call=Call("measure", "coder", 1, 1)).text == "measured"
    with pytest.raises(ScriptError, match=r"found \['01-coder.md'\]"):
        model.complete(ASK, seed=1, call=Call("convert", "supervisor", 1, 2))


def test_a_file_without_number_is_the_reply_to_every_other_call(tmp_path: Path) -> None:
    folder = script(tmp_path / "s", ("supervisor", "first"))
    (folder / "convert" / "supervisor.md").write_text("again", encoding="utf-8")
    (folder / "convert" / "coder.md").write_text("code", encoding="utf-8")
    model = ScriptedModel([folder])
    calls: list[tuple[Role, int]] = [
        ("supervisor", 1),
        ("coder", 2),
        ("supervisor", 3),
        ("coder", 4),
        ("supervisor", 5),
    ]
    told = [
        model.complete(ASK, seed=1, call=Call("convert", role, (n + 1) // 2, n)).text
        for role, n in calls
    ]
    assert told == ["first", "code", "again", "code", "again"]


def test_a_reply_takes_over_the_code_of_another(tmp_path: Path) -> None:
    (tmp_path / "right.md").write_text("So.\n\n```python\nx = 1\n```\n", encoding="utf-8")
    reply = tmp_path / "wrong.md"
    reply.write_text(
        "Else.\n\n```python\n<!-- module of right.md -->\nx = 2\n```\n", encoding="utf-8"
    )
    assert read_script(reply) == "Else.\n\n```python\nx = 1\nx = 2\n```\n"
    further = tmp_path / "further.md"
    further.write_text("```python\n<!-- module of wrong.md -->\n```", encoding="utf-8")
    assert read_script(further) == "```python\nx = 1\nx = 2\n```"


@pytest.mark.parametrize(("text", "sentence"), [
    (None, r"expected the reply 'other.md' beside .*found no such file"),
    ("only words", r"expected code in the reply 'other.md', which .* found none: expected one"),
])  # fmt: skip
def test_code_that_is_not_there(text: str | None, sentence: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "other.md").write_text(text, encoding="utf-8")
    reply = tmp_path / "reply.md"
    reply.write_text("<!-- module of other.md -->", encoding="utf-8")
    with pytest.raises(ScriptError, match=sentence):
        read_script(reply)


def test_the_identity_says_what_else_is_told(tmp_path: Path) -> None:
    model = ScriptedModel([tmp_path], "scripted:a/b", {"skill": "a", "scripted": "no"})
    assert model.identity == {
        "name": "scripted:a/b", "revision": None, "sampling": {}, "scripted": True, "skill": "a"
    }  # fmt: skip
