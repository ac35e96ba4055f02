"""A real server with a model of random weights: whatever it says ends as a result, not a crash."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agents.backoff import Backoff
from agents.chat import CONTEXT_LENGTH, Call, Message, Reply
from agents.errors import AuthenticationError, EndpointError, WrongModelError
from agents.loop import solve
from agents.model import EndpointModel
from agents.supervisor import INSTRUCTIONS_SCHEMA
from agents.trajectory import read_entries
from tests.agents.bench import TASK, ObedientBench
from tests.vllm.conftest import RANDOM
from tests.vllm.server import Vllm, serving

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1800)]

QUESTION = (Message("user", "# The stage: convert\n\nGive the mass of the two leading photons."),)
DECISION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["decision"],
    "properties": {"decision": {"type": "string", "enum": ["accept", "revise"]}},
}


@dataclass
class WithAccident:
    """An endpoint's model that counts the answers it got and has an accident after the first."""

    model: EndpointModel
    server: Vllm | None = None
    """Killed after the first answer; None: there is no accident."""
    answered: list[Call] = field(default_factory=list)

    @property
    def identity(self) -> Mapping[str, Any]:
        return self.model.identity

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        seed: int,
        call: Call | None = None,
    ) -> Reply:
        assert call is not None
        reply = self.model.complete(messages, schema=schema, seed=seed, call=call)
        self.answered.append(call)
        if self.server is not None:
            self.server.kill()
        return reply


def test_a_stage_fails_by_the_model_and_every_call_is_answered(
    random_server: Vllm, tmp_path: Path
) -> None:
    path, bench = tmp_path / "trajectory.jsonl", ObedientBench()
    with EndpointModel(random_server.spec()) as model:
        outcome = solve(TASK, bench, model, path)

    assert (outcome.status, outcome.code, bench.tried) == ("failed", None, [])
    assert outcome.failure is not None
    assert (outcome.failure.attribution, outcome.failure.category) == ("model", "length")
    assert outcome.supervisor_errors
    entries = read_entries(path)
    replies = [entry for entry in entries if entry.kind == "reply"]
    assert len(replies) == outcome.api_calls == sum(e.kind == "request" for e in entries)
    assert all(reply.content["finish_reason"] == "length" for reply in replies)
    assert all(reply.content["usage"]["completion"] == 64 for reply in replies)
    assert {reply.content["server_version"] for reply in replies} == {"0.32.0"}
    assert {reply.content["endpoint"] for reply in replies} == {random_server.base_url}
    assert outcome.tokens.completion == 64 * outcome.api_calls
    assert random_server.key_file.read_text() not in path.read_text()


def test_json_is_held_to_its_schema(random_server: Vllm) -> None:
    with EndpointModel(random_server.spec()) as model:
        free = model.complete(QUESTION, seed=1)
        held = model.complete(QUESTION, schema=INSTRUCTIONS_SCHEMA, seed=1)
    form = re.compile(r'\s*\{\s*"instructions"\s*:\s*\[')
    assert not form.match(free.text)  # random words, braces among them
    assert form.match(held.text)
    # Its likeliest token may be a space for ever; a drawn one is not.
    with EndpointModel(random_server.spec(temperature=1.0, max_tokens=1000)) as model:
        chosen = [model.complete(QUESTION, schema=DECISION, seed=seed) for seed in range(4)]
    assert [reply.finish_reason for reply in chosen] == ["stop"] * 4
    decisions = {json.loads(reply.text)["decision"] for reply in chosen}
    assert decisions <= {"accept", "revise"}


def test_the_same_question_has_the_same_answer(random_server: Vllm) -> None:
    with EndpointModel(random_server.spec(temperature=1.0)) as model:
        first, again, other = (model.complete(QUESTION, seed=seed) for seed in (5, 5, 6))
    assert first.text == again.text
    assert first.text != other.text


def test_a_prompt_that_does_not_fit_is_a_reply(random_server: Vllm) -> None:
    long = (Message("user", "photon energy " * 20_000),)
    with EndpointModel(random_server.spec()) as model:
        reply = model.complete(long, seed=1)
    assert (reply.text, reply.finish_reason, reply.attempts) == ("", CONTEXT_LENGTH, 1)


def test_another_key_and_another_name_are_told_apart(random_server: Vllm, tmp_path: Path) -> None:
    wrong = tmp_path / "key"
    wrong.write_text("not-the-key-of-it")
    wrong.chmod(0o600)
    with (
        EndpointModel(random_server.spec(api_key_file=str(wrong))) as model,
        pytest.raises(AuthenticationError, match="key"),
    ):
        model.complete(QUESTION, seed=1)
    with (
        EndpointModel(random_server.spec(name="other/model")) as model,
        pytest.raises(WrongModelError, match=f"expected the model 'other/model' .*{RANDOM}"),
    ):
        model.complete(QUESTION, seed=1)


@pytest.mark.slow
def test_a_killed_server_is_the_endpoints_failure_and_a_new_one_goes_on(
    vllm_python: Path, random_model: Path, tmp_path: Path
) -> None:
    path, bench = tmp_path / "trajectory.jsonl", ObedientBench()
    with serving(vllm_python, random_model, RANDOM, tmp_path / "first") as server:
        impatient = EndpointModel(server.spec(max_retries=2), backoff=Backoff(first_s=0.1))
        model = WithAccident(impatient, server)
        with impatient, pytest.raises(EndpointError) as caught:
            solve(TASK, bench, model, path)
        assert [call.number for call in model.answered] == [1]
    assert caught.value.attribution == "endpoint"
    assert caught.value.kind == "unreachable"
    assert re.search(r"expected .*127\.0\.0\.1.*found .*\(tried 3 times\)", str(caught.value))
    faults = [entry.content for entry in read_entries(path) if entry.kind == "fault"]
    assert [fault["attribution"] for fault in faults] == ["endpoint"]

    with (
        serving(vllm_python, random_model, RANDOM, tmp_path / "second", server.port) as another,
        EndpointModel(another.spec(max_retries=2)) as again,
    ):
        model = WithAccident(again)
        outcome = solve(TASK, bench, model, path)
    assert outcome.failure is not None
    assert outcome.failure.attribution == "model"
    numbers = [call.number for call in model.answered]
    assert numbers == list(range(2, outcome.api_calls + 1))
