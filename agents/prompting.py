"""Prompts from their templates: strict, and the same bytes for the same task and history."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from agents.chat import Message
from agents.task import Task

MAX_QUOTED = 4_000
"""Characters of an unreadable reply that are shown to the model again."""


def prompt(template: str, task: Task, **values: Any) -> tuple[Message, ...]:
    """System and user message of one call.

    The system message is the same for all calls, and the user message begins with the task, which
    is the same for all calls of a stage; what belongs to the round comes last, so that a server's
    prefix cache holds all before it. Raises jinja2.UndefinedError if a template asks for a value
    that is not given.
    """
    return (
        Message("system", render("system")),
        Message("user", render(template, task=task, **values)),
    )


def render(template: str, **values: Any) -> str:
    """The text of `prompts/<template>.md.j2`, without white space around it."""
    return _environment().get_template(f"{template}.md.j2").render(values).strip()


def repair(messages: tuple[Message, ...], reply: str, sentence: str) -> tuple[Message, ...]:
    """`messages` with a reply that could not be read, and the sentence that says why."""
    return (
        *messages,
        Message("assistant", reply[:MAX_QUOTED]),
        Message("user", render("repair", sentence=sentence.rstrip("."))),
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "prompts"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["fenced"] = _fenced
    return environment


def _fenced(text: str, label: str) -> str:
    """`text` as a fenced block whose fence is longer than any in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{label}\n{text.rstrip()}\n{fence}"
