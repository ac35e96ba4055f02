"""A model whose replies are files: no intelligence, the same dialogue every time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.chat import Call, Message, Reply, split_reasoning
from agents.errors import ScriptError
from agents.replies import Fault, python_block

_FINISH = re.compile(r"<!-- finish_reason: ([a-z_]+) -->\n")
_MODULE = re.compile(r"^<!-- module of (\S+) -->$", re.MULTILINE)


@dataclass(frozen=True)
class ScriptedModel:
    """Reads the reply of call number n of a stage from `<folder>/<stage>/<nn>-<role>.md`.

    Of `folders` the first that has the stage is taken, whole. A file `<role>.md` there stands for
    every call of that role that has no file of its own. A first line
    `<!-- finish_reason: length -->` is taken off and makes the reply end so; a line
    `<!-- module of <path> -->` stands for the code in another reply (`read_script`). Nothing of the
    prompt is looked at, and no tokens are counted, because there are none.
    """

    folders: Sequence[Path]
    name: str = "scripted"
    told: Mapping[str, str] = field(default_factory=dict)
    """What its identity says beside the name, e.g. the skill that the script was drawn for."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Its name, and that it is a script."""
        known: dict[str, Any] = {
            "name": self.name,
            "revision": None,
            "sampling": {},
            "scripted": True,
        }
        return {**self.told, **known}

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        seed: int,
        call: Call | None = None,
    ) -> Reply:
        """The reply in the call's file; ScriptError if there is none."""
        if call is None:
            raise ScriptError("expected to be told which call of which stage this is, found none")
        content = read_script(self._path(call))
        finish = _FINISH.match(content)
        text, reasoning = split_reasoning(content[finish.end() :] if finish else content)
        return Reply(
            text=text,
            reasoning=reasoning,
            finish_reason=finish[1] if finish else "stop",
            model=self.name,
            sampling={"seed": seed},
        )

    def _path(self, call: Call) -> Path:
        own, repeated = f"{call.number:02d}-{call.role}.md", f"{call.role}.md"
        having = [folder / call.stage for folder in self.folders if (folder / call.stage).is_dir()]
        for name in (own, repeated) if having else ():
            if (having[0] / name).is_file():
                return having[0] / name
        there = sorted(path.name for path in having[0].glob("*.md")) if having else []
        raise ScriptError(
            f"expected the reply {own!r} (or {repeated!r}) of the script {self.name!r} for the "
            f"stage {call.stage!r} (round {call.round}), found {there}; write that file"
        )


def read_script(path: Path) -> str:
    """The text of a reply's file, with the code of other replies in the place of their names.

    A line `<!-- module of ../../solves/any/inspect/02-coder.md -->`, a path from the file's own
    folder, becomes the code in that reply: a script that goes wrong in one place says only what
    that is. ScriptError if there is no such reply, or no code in it.
    """
    return _MODULE.sub(lambda found: _code(path, found[1]), path.read_text(encoding="utf-8"))


def _code(path: Path, named: str) -> str:
    other = path.parent / named
    if not other.is_file():
        raise ScriptError(
            f"expected the reply {named!r} beside {path}, found no such file; correct the path in "
            "its line `<!-- module of ... -->`"
        )
    code = python_block(read_script(other))
    if isinstance(code, Fault):
        raise ScriptError(
            f"expected code in the reply {named!r}, which {path} takes over, found none: "
            f"{code.sentence}"
        )
    return code.rstrip("\n")
