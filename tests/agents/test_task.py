"""A task is the same bytes every time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.task import Hint, Task

TASK = Task("convert", "Convert it.", "def convert(events)", (Hint("gev", "Use GeV."),))


def test_the_hash_is_that_of_the_words() -> None:
    assert TASK.sha256 == "db268ff9a09bf4331163f1effda26236a39cf18192e8bd06b9d50b34a53ea172"
    assert replace(TASK, purpose="Convert it!").sha256 != TASK.sha256


def test_a_hint_has_a_name_of_its_own() -> None:
    with pytest.raises(ValueError, match=r"found twice: \['gev'\]"):
        Task("convert", "", "", (Hint("gev", "a"), Hint("gev", "b")))
