"""Prompts are the same bytes for the same task, whatever the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jinja2
import pytest

from agents.evidence import Evidence
from agents.prompting import MAX_QUOTED, prompt, render, repair
from tests.agents.bench import TASK

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = """
import hashlib, sys, tempfile
from pathlib import Path
from agents.loop import solve
from agents.trajectory import content_sha256
from tests.agents.bench import TASK, THREE_ROUNDS, ObedientBench, scripted
with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
    path = Path(folder) / "t.jsonl"
    solve(TASK, ObedientBench(), scripted(Path(folder) / "script", *THREE_ROUNDS), path, seed=3)
    print(content_sha256(path))
"""


def test_prompts_are_the_same_in_every_process(tmp_path: Path) -> None:
    """The content hash covers every message; hash seed, folder and time differ between the runs."""
    found = set()
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path)],
            cwd=REPOSITORY,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'number' is undefined"):
        prompt("review", TASK, code=None, evidence=None, earlier=(), instructions=(), repeated=())


def test_what_a_value_holds_is_not_rendered_again() -> None:
    text = render("repair", sentence="{{ 7 * 6 }} <b>")
    assert text == "Your reply could not be read: {{ 7 * 6 }} <b>."


def test_a_fence_is_longer_than_what_it_holds() -> None:
    inner = 'DOC = """\n```\n"""\n\n\nX = 1\n'
    asked = prompt(
        "write", TASK, number=2, max_rounds=3, earlier=(), code=inner, reasons=(),
        instructions=(), pitfalls=(), evidence=Evidence(ok=False, exception="E", message="m"),
    )  # fmt: skip
    assert f"````python\n{inner}````" in asked[1].content


def test_a_bad_reply_is_quoted_up_to_a_size() -> None:
    messages = repair(prompt("instruct", TASK), "x" * 100_000, "expected a, found b")
    assert [m.role for m in messages] == ["system", "user", "assistant", "user"]
    assert len(messages[2].content) == MAX_QUOTED
    assert messages[3].content == "Your reply could not be read: expected a, found b."
