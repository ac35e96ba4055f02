"""The whole loop over HTTP at a hostile endpoint: an outcome or a clear error, never a surprise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.errors import AgentError, AuthenticationError, EndpointError, WrongModelError
from agents.limits import Limits
from agents.loop import solve
from agents.model import EndpointModel
from agents.outcome import Outcome
from agents.trajectory import read_entries
from tests.agents import hostile
from tests.agents.bench import TASK, ObedientBench, instructs, reviews, writes
from tests.agents.hostile import Behaviour, Endpoint, says, status

Make = Callable[..., EndpointModel]
INSTRUCTS, ACCEPTS = says(instructs("go")), says(reviews("accept"))
GOOD = writes("ok")


def run(model: EndpointModel, folder: Path, rounds: int = 1) -> Outcome:
    path = folder / "trajectory.jsonl"
    return solve(TASK, ObedientBench(), model, path, limits=Limits(max_rounds=rounds))


@pytest.mark.parametrize(
    ("coder", "calls"),
    [
        ([status(429, retry_after="2"), says(GOOD)], 3),
        ([status(500), says(GOOD)], 3),
        ([hostile.silent, says(GOOD)], 3),
        ([hostile.drops, says(GOOD)], 3),
        ([hostile.body(b'{"choices": [{"mess'), says(GOOD)], 3),
        ([says(choices=[]), says(GOOD)], 3),
        ([says("Well.\n" + GOOD + "\nThat is it.")], 3),
        ([says(f"<think>```python\nno\n```</think>{GOOD}")], 3),
        ([says(GOOD, reasoning_content="```python\nno\n```")], 3),
        ([says(GOOD + GOOD), says(GOOD)], 4),
        ([says("no block"), says(GOOD)], 4),
    ],
    ids=["429", "500", "silence", "drop", "half", "empty choices", "prose", "think", "reasoning",
         "two blocks", "no block"],
)  # fmt: skip
def test_what_can_be_mended_is_mended(
    endpoint: Endpoint, model: Make, tmp_path: Path, coder: list[Behaviour], calls: int
) -> None:
    endpoint.will(INSTRUCTS, *coder, ACCEPTS)
    outcome = run(model(timeout_s=0.4), tmp_path)
    assert outcome.accepted
    assert outcome.code == "# ok\nimport numpy\n"
    assert outcome.api_calls == calls


@pytest.mark.parametrize(
    ("coder", "category"),
    [
        ([says(GOOD, finish_reason="length")], "length"),
        ([status(400, b"This model's maximum context length is 4096 tokens")], "length"),
        ([says(None, refusal="No.")], "refusal"),
        ([says("")], "refusal"),
        ([says("I am sorry.")] * 2, "refusal"),
        ([says(GOOD + GOOD)] * 2, "contract"),
    ],
)
def test_what_the_model_cannot_do_is_a_failure_of_the_model(
    endpoint: Endpoint, model: Make, tmp_path: Path, coder: list[Behaviour], category: str
) -> None:
    endpoint.will(INSTRUCTS, *coder)
    outcome = run(model(), tmp_path)
    assert outcome.failure is not None
    assert (outcome.failure.category, outcome.failure.attribution) == (category, "model")


@pytest.mark.parametrize(
    ("coder", "error"),
    [
        ([status(429)] * 3, EndpointError),
        ([status(503)] * 3, EndpointError),
        ([hostile.drops] * 3, EndpointError),
        ([hostile.floods], EndpointError),
        ([says(choices=[])] * 3, EndpointError),
        ([status(401)], AuthenticationError),
        ([status(404)], WrongModelError),
    ],
)
def test_what_the_endpoint_cannot_do_is_an_error_and_can_be_resumed(
    endpoint: Endpoint, model: Make, tmp_path: Path, coder: list[Behaviour], error: type[AgentError]
) -> None:
    endpoint.pages["/v1/models"] = {"data": [{"id": "another/model"}]}
    endpoint.will(INSTRUCTS, *coder)
    with pytest.raises(error) as raised:
        run(model(), tmp_path)
    assert raised.value.attribution == "endpoint"
    assert read_entries(tmp_path / "trajectory.jsonl")[-1].content["error"] == error.__name__
    before = len(endpoint.seen)
    endpoint.will(says(GOOD), ACCEPTS)
    outcome = run(model(), tmp_path)
    assert outcome.accepted
    assert outcome.api_calls == 3
    assert len(endpoint.seen) == before + 2


def test_a_model_that_knows_nothing_fails_every_round(
    endpoint: Endpoint, model: Make, tmp_path: Path
) -> None:
    """What a random model does: white space until it is cut, or words without meaning."""
    endpoint.will(
        says(" " * 1000, finish_reason="length"),
        says("wug wug", finish_reason="length"),
        says('{"decision"' + " " * 500, finish_reason="length"),
        *[says("gavagai")] * 2,
        *[says('{"decision": "accept"}')] * 2,
        *[says("```python\nwug")] * 2,
    )
    outcome = run(model(), tmp_path, rounds=3)
    assert (outcome.rounds, outcome.api_calls, outcome.stopped) == (3, 9, "max_rounds")
    assert outcome.failure is not None
    assert outcome.failure.attribution == "model"
    assert len(outcome.supervisor_errors) == 3
