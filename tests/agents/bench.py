"""A stage in miniature for the loop's tests: a task, a bench that obeys its code, and scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.chat import Call, Message, Reply, Usage
from agents.evidence import Evidence, HintViolation
from agents.scripted import ScriptedModel
from agents.task import Hint, Task

TASK = Task(
    stage="convert",
    purpose="Give the mass of the two leading photons, in GeV.",
    contract="def convert(events) -> dict of arrays",
    hints=(Hint("gev", "Energies are in GeV."), Hint("no-loop", "Do not loop over events.")),
)


def instructs(*instructions: str) -> str:
    """A supervisor's first reply."""
    return json.dumps({"instructions": list(instructions), "pitfalls": ["units"]})


def reviews(decision: str, *reasons: str) -> str:
    """A supervisor's review."""
    told = {"decision": decision, "reasons": list(reasons), "instructions": ["mind the units"]}
    return json.dumps(told)


def writes(what: str, remark: str = "") -> str:
    """A coder's reply; the bench finds in the first line what is to come of it."""
    return f"Here it is. {remark}\n\n```python\n# {what}\nimport numpy\n```\n"


def script(folder: Path, *replies: tuple[str, str], stage: str = "convert") -> Path:
    """Write (role, reply) pairs as a scripted model's files."""
    (folder / stage).mkdir(parents=True)
    for number, (role, text) in enumerate(replies, start=1):
        (folder / stage / f"{number:02d}-{role}.md").write_text(text, encoding="utf-8")
    return folder


@dataclass
class ObedientBench:
    """Does what the first line of the code says: `ok`, or `fails: Class: message`."""

    tried: list[str] = field(default_factory=list)

    def try_solution(self, code: str) -> Evidence:
        self.tried.append(code)
        if match := re.match(r"# fails: (\w+): (.*)", code):
            return Evidence(
                ok=False,
                exception=match[1],
                message=match[2],
                line=1,
                category="incorrect branch name" if match[1] == "KeyError" else None,
                hint_violations=(HintViolation("gev", "MeV"),),
            )
        return Evidence(ok=True, stdout="39 rows")


@dataclass
class CountingModel:
    """A scripted model that counts its calls and says that each took tokens and time."""

    script: ScriptedModel
    asked: list[Call] = field(default_factory=list)
    prompts: list[tuple[Message, ...]] = field(default_factory=list)

    @property
    def identity(self) -> Mapping[str, Any]:
        return self.script.identity

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        seed: int,
        call: Call | None = None,
    ) -> Reply:
        assert call is not None
        self.asked.append(call)
        self.prompts.append(tuple(messages))
        reply = self.script.complete(messages, schema=schema, seed=seed, call=call)
        return Reply(
            text=reply.text,
            finish_reason=reply.finish_reason,
            model=reply.model,
            reasoning=reply.reasoning,
            usage=Usage(100, 10, 1),
            sampling=reply.sampling,
            request_id=f"request-{call.number}",
            wall_s=0.25,
        )


def scripted(folder: Path, *replies: tuple[str, str]) -> CountingModel:
    """A counting model with this script."""
    return CountingModel(ScriptedModel([script(folder, *replies)]))


SUPERVISOR, CODER = "supervisor", "coder"
TWO_ROUNDS = (
    (SUPERVISOR, instructs("read the photons", "sort by pt")),
    (CODER, writes("fails: KeyError: no field 'photon_E'")),
    (SUPERVISOR, reviews("revise", "the branch is called photon_e")),
    (CODER, writes("ok")),
    (SUPERVISOR, reviews("accept", "39 rows, as it should be")),
)
"""A dialogue that needs a second round."""
THREE_ROUNDS = (
    *TWO_ROUNDS[:3],
    (CODER, "I forgot the block."),
    (CODER, writes("fails: ValueError: 39 rows of 40")),
    (SUPERVISOR, "Well, I would say: revise."),
    (SUPERVISOR, reviews("accept", "good enough")),
    (CODER, "<think>hm</think>\n" + writes("ok")),
    (SUPERVISOR, reviews("revise", "I would like it shorter")),
)
"""One with repairs on both sides, a supervisor who accepts a failure, and its late doubts."""
