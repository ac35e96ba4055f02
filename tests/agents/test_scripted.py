"""A script answers by the number of the call, and says what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.chat import Call, Message
from agents.errors import ScriptError
from agents.scripted import ScriptedModel
from tests.agents.bench import script

ASK = (Message("user", "?"),)


def test_replies_come_from_their_files(tmp_path: Path) -> None:
    folder = script(tmp_path / "s", ("supervisor", "{}"), ("coder", "<think>so</think>\nμ = 1"))
    model = ScriptedModel(folder)
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
    model = ScriptedModel(script(tmp_path / "s", ("coder", text)))
    reply = model.complete(ASK, seed=1, call=Call("convert", "coder", 1, 1))
    assert (reply.text, reply.finish_reason) == ("half", "length")


def test_a_reply_that_is_missing(tmp_path: Path) -> None:
    model = ScriptedModel(script(tmp_path / "s", ("coder", "a")), name="tale")
    with pytest.raises(ScriptError, match=r"'01-supervisor.md' of the script 'tale'.*01-coder.md"):
        model.complete(ASK, seed=1, call=Call("convert", "supervisor", 1, 1))
    with pytest.raises(ScriptError, match=r"stage 'measure' \(round 2\), found \[\]"):
        model.complete(ASK, seed=1, call=Call("measure", "coder", 2, 7))
    with pytest.raises(ScriptError, match="which call of which stage"):
        model.complete(ASK, seed=1)
