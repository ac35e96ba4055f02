"""The client at a hostile endpoint: each misbehaviour leads to the stated behaviour."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.chat import Message, Reply, Usage, answer_of
from agents.errors import (
    AuthenticationError,
    EmptyReplyError,
    EndpointError,
    LengthError,
    ModelSpecError,
    RefusalError,
    WrongModelError,
)
from agents.model import EndpointModel, ModelSpec
from tests.agents import hostile
from tests.agents.conftest import KEY
from tests.agents.hostile import Endpoint, says, status

MESSAGES = (Message("system", "be brief"), Message("user", "hello?"))
Make = Callable[..., EndpointModel]


def ask(model: EndpointModel, **given: Any) -> Reply:
    return model.complete(MESSAGES, **{"seed": 7, **given})


def test_a_good_reply_is_recorded_with_everything(endpoint: Endpoint, model: Make) -> None:
    endpoint.pages["/version"] = {"version": "0.32.0"}
    endpoint.will(says("42"))
    reply = ask(model(temperature=0.2, top_p=0.9, max_tokens=99, stop=("END",), revision="abc"))
    assert reply.text == "42"
    assert reply.finish_reason == "stop"
    assert reply.usage == Usage(10, 5, 0)
    assert reply.model == "test/model"
    assert reply.server_version == "0.32.0"
    assert reply.endpoint == endpoint.base_url
    assert reply.request_id == "chatcmpl-1"
    assert reply.attempts == 1
    assert 0.0 < reply.wall_s < 5.0
    sent = {"temperature": 0.2, "top_p": 0.9, "max_tokens": 99, "stop": ["END"], "seed": 7}
    assert reply.sampling == sent
    asked = endpoint.seen[0].body
    assert {name: asked[name] for name in sent} == sent
    assert asked["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hello?"},
    ]


def test_who_listens_hears_the_body_without_the_key(
    endpoint: Endpoint, model: Make, key_file: Path
) -> None:
    endpoint.will(says(f"the key is {KEY}"))
    heard: list[str] = []
    with replace(model(api_key_file=str(key_file)), hear=heard.append) as listened:
        reply = ask(listened)
    (body,) = heard
    assert '"choices"' in body
    assert reply.text in body
    assert KEY[:12] not in body


def test_what_is_not_there_is_null(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(says("42", usage=None, id=None, model=None))
    reply = ask(model())
    assert reply.server_version is None
    assert reply.request_id is None
    assert reply.model == "test/model"
    assert reply.usage == Usage(0, 0, 0)


def test_extra_members_and_response_format_are_sent(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(says(), says(), says())
    schema = {"type": "object"}
    ask(model(extra={"top_k": 20}), schema=schema)
    ask(model(response_format="json_object"), schema=schema)
    ask(model(response_format="none"), schema=schema)
    first, second, third = (seen.body for seen in endpoint.seen)
    assert first["top_k"] == 20
    named = {"name": "answer", "schema": schema, "strict": True}
    assert first["response_format"] == {"type": "json_schema", "json_schema": named}
    assert second["response_format"] == {"type": "json_object"}
    assert "response_format" not in third


def test_retry_after_is_honoured(endpoint: Endpoint, model: Make, waits: list[float]) -> None:
    endpoint.will(status(429, retry_after="17"), says("at last"))
    reply = ask(model())
    assert reply.text == "at last"
    assert reply.attempts == 2
    assert waits == [17.0]


def test_a_wait_past_patience_is_not_waited(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(status(429, retry_after="86400"))
    with pytest.raises(EndpointError, match="asks to wait 86400 s") as raised:
        ask(model())
    assert raised.value.kind == "rate_limited"
    assert raised.value.attribution == "endpoint"


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_error_is_tried_again(
    endpoint: Endpoint, model: Make, waits: list[float], code: int
) -> None:
    endpoint.will(status(code), says("well"))
    assert ask(model()).text == "well"
    assert len(waits) == 1
    assert 0.5 <= waits[0] <= 1.0


def test_a_server_that_stays_broken_is_given_up(
    endpoint: Endpoint, model: Make, waits: list[float]
) -> None:
    endpoint.will(status(500), status(500), status(500))
    with pytest.raises(EndpointError, match=r"HTTP status 500.*tried 3 times") as raised:
        ask(model())
    assert raised.value.kind == "server_error"
    assert len(waits) == 2
    assert waits[1] > waits[0]


def test_waits_are_the_same_for_the_same_seed(
    endpoint: Endpoint, model: Make, waits: list[float]
) -> None:
    endpoint.will(*[status(503)] * 6)
    for _ in range(2):
        with pytest.raises(EndpointError):
            ask(model())
    assert waits[:2] == waits[2:]


def test_silence_is_a_timeout(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(hostile.silent, says("awake"))
    assert ask(model(timeout_s=0.2)).attempts == 2
    endpoint.will(hostile.silent)
    with pytest.raises(EndpointError, match="found silence") as raised:
        ask(model(timeout_s=0.2, max_retries=0))
    assert raised.value.kind == "timeout"


def test_a_trickle_is_a_timeout(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(hostile.trickles)
    started = time.monotonic()
    with pytest.raises(EndpointError, match=r"within 0\.3 s of its beginning") as raised:
        ask(model(timeout_s=0.3, max_retries=0))
    assert raised.value.kind == "timeout"
    assert time.monotonic() - started < 3.0


@pytest.mark.parametrize("broken", [hostile.drops, hostile.drops_halfway])
def test_a_dropped_connection_is_tried_again(
    endpoint: Endpoint, model: Make, broken: hostile.Behaviour
) -> None:
    endpoint.will(broken, says("back"))
    assert ask(model()).text == "back"
    endpoint.will(broken)
    with pytest.raises(EndpointError, match="refused or dropped") as raised:
        ask(model(max_retries=0))
    assert raised.value.kind == "unreachable"


def test_nobody_at_the_address(model: Make) -> None:
    nobody = model(base_url="http://127.0.0.1:9/v1", max_retries=1)
    with pytest.raises(EndpointError, match=r"see whether the server is up \(tried 2 times\)"):
        ask(nobody)


@pytest.mark.parametrize(
    "content",
    [
        b'{"choices": [{"message": {"content": "hel',
        b"<html>proxy</html>",
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[1, 2]",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": [null]}',
        b'{"choices": [{"finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"content": 3}}]}',
        b'{"choices": [{"message": {"content": "x"}, "finish_reason": "abort"}]}',
    ],
)
def test_a_body_that_is_no_completion(endpoint: Endpoint, model: Make, content: bytes) -> None:
    endpoint.will(hostile.body(content), says("whole"))
    assert ask(model()).text == "whole"
    endpoint.will(hostile.body(content))
    with pytest.raises(EndpointError, match="expected a chat completion with") as raised:
        ask(model(max_retries=0))
    assert raised.value.kind == "bad_reply"


def test_ten_megabytes_of_text_are_not_read_to_the_end(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(hostile.floods)
    with pytest.raises(EndpointError, match=r"at most 10000000 bytes.*tried once") as raised:
        ask(model())
    assert raised.value.kind == "bad_reply"
    endpoint.will(says("x" * 10_000_000))
    with pytest.raises(EndpointError, match="at most 10000000 bytes"):
        ask(model())


def test_an_error_page_is_not_read_without_end(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(status(500, b"x" * 11_000_000))
    with pytest.raises(EndpointError, match="at most 10000000 bytes"):
        ask(model())


def test_a_compressed_body_is_refused(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(lambda h: h.reply(200, b"\x1f\x8b", content_encoding="gzip"))
    with pytest.raises(EndpointError, match="'gzip'"):
        ask(model())


def test_another_model_is_served(endpoint: Endpoint, model: Make) -> None:
    endpoint.pages["/v1/models"] = {"data": [{"id": "a"}, {"id": "b"}]}
    endpoint.will(status(404))
    with pytest.raises(WrongModelError, match=r"'test/model'.*found 'a', 'b'; set model\.name"):
        ask(model())
    assert len(endpoint.seen) == 1


def test_an_address_without_completions(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(status(404))
    with pytest.raises(EndpointError, match="ends in /v1") as raised:
        ask(model())
    assert raised.value.kind == "rejected"


@pytest.mark.parametrize("code", [401, 403])
def test_a_key_that_is_not_accepted(endpoint: Endpoint, model: Make, code: int) -> None:
    endpoint.will(status(code))
    with pytest.raises(AuthenticationError, match=r"model\.api_key_file") as raised:
        ask(model())
    assert raised.value.attribution == "endpoint"
    assert len(endpoint.seen) == 1


@pytest.mark.parametrize("code", [400, 422, 307])
def test_a_rejected_request_is_not_repeated(endpoint: Endpoint, model: Make, code: int) -> None:
    endpoint.will(status(code, location="http://127.0.0.1:9/"))
    with pytest.raises(EndpointError, match=f"HTTP status {code}") as raised:
        ask(model())
    assert raised.value.kind == "rejected"
    assert len(endpoint.seen) == 1


def test_a_quota_that_is_used_up_is_not_waited_for(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(status(429, b'{"error": {"code": "insufficient_quota"}}'))
    with pytest.raises(EndpointError, match="insufficient_quota"):
        ask(model())
    assert len(endpoint.seen) == 1


def test_a_prompt_that_does_not_fit_counts_against_the_model(
    endpoint: Endpoint, model: Make
) -> None:
    words = "This model's maximum context length is 4096 tokens. However, your request has 5000"
    endpoint.will(status(400, words.encode()))
    reply = ask(model())
    assert reply.finish_reason == "context_length"
    with pytest.raises(LengthError, match="fits in the model's context") as raised:
        answer_of(reply)
    assert (raised.value.attribution, raised.value.category) == ("model", "length")


@pytest.mark.parametrize("finish", ["length", "repetition"])
def test_a_cut_reply_is_its_own_failure(endpoint: Endpoint, model: Make, finish: str) -> None:
    endpoint.will(says("half an ans", finish_reason=finish))
    reply = ask(model())
    assert reply.text == "half an ans"
    with pytest.raises(LengthError, match=f"finish_reason '{finish}' after 5 tokens"):
        answer_of(reply)


@pytest.mark.parametrize(
    "said",
    [
        says(None, refusal="I will not do that"),
        says("", finish_reason="content_filter"),
    ],
)
def test_a_refusal(endpoint: Endpoint, model: Make, said: hostile.Behaviour) -> None:
    endpoint.will(said)
    reply = ask(model())
    with pytest.raises(RefusalError) as raised:
        answer_of(reply)
    assert (raised.value.attribution, raised.value.category) == ("model", "refusal")


@pytest.mark.parametrize(
    "said", [says(None), says("  \n"), says("<think>hm</think>"), says(None, reasoning="hm")]
)
def test_an_empty_reply(endpoint: Endpoint, model: Make, said: hostile.Behaviour) -> None:
    endpoint.will(said)
    reply = ask(model())
    with pytest.raises(EmptyReplyError, match="found no text"):
        answer_of(reply)


@pytest.mark.parametrize(
    ("said", "reasoning"),
    [
        (says("answer", reasoning_content="so"), "so"),
        (says("answer", reasoning="so"), "so"),
        (says("<think>so</think>\n\nanswer"), "so"),
        (says("so\n</think>\nanswer"), "so"),
        (says("<think>a</think><think>b</think>answer"), "a\n\nb"),
        (says([{"type": "text", "text": "<thinking>so</thinking>ans"}, {"text": "wer"}]), "so"),
        (says("answer"), ""),
    ],
)
def test_reasoning_is_kept_apart(
    endpoint: Endpoint, model: Make, said: hostile.Behaviour, reasoning: str
) -> None:
    endpoint.will(said)
    reply = ask(model())
    assert (reply.text, reply.reasoning) == ("answer", reasoning)


def test_reasoning_tokens_are_counted(endpoint: Endpoint, model: Make) -> None:
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 9,
        "completion_tokens_details": {"reasoning_tokens": 7},
    }
    endpoint.will(says(usage=usage), says(usage={"prompt_tokens": -1, "completion_tokens": "9"}))
    assert ask(model()).usage == Usage(3, 9, 7)
    assert ask(model()).usage == Usage(0, 0, 0)


def test_text_that_no_file_can_hold_is_made_storable(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(hostile.body(b'{"choices": [{"message": {"content": "a\\ud800b"}}]}'))
    reply = ask(model())
    assert reply.text == "a?b"
    assert reply.finish_reason == "unknown"


def test_the_key_goes_to_the_endpoint_and_nowhere_else(
    endpoint: Endpoint, model: Make, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = {"reasoning": KEY, "model": KEY, "id": KEY}
    endpoint.pages["/version"] = {"version": KEY}
    endpoint.will(says(f"your key is {KEY}", **echo))
    made = model(api_key_file=str(key_file))
    reply = ask(made)
    assert endpoint.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert reply.text == "your key is [api key]"
    said = [repr(reply), repr(made), repr(made.spec), repr(vars(made)), caplog.text]
    endpoint.will(
        status(401, f"bad key {KEY}".encode()),
        status(400, KEY.encode()),
        hostile.body(KEY.encode()),
    )
    for _ in range(3):
        with pytest.raises((EndpointError, AuthenticationError)) as raised:
            ask(model(api_key_file=str(key_file), max_retries=0))
        said.append(f"{raised.value!r} {raised.value} {raised.value.__cause__!r}")
        assert "[api key]" in str(raised.value)
    assert not [text for text in said if KEY in text or KEY[:12] in text]


def test_the_environment_of_the_sdk_reaches_no_endpoint(
    endpoint: Endpoint, model: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("OPENAI_ORG_ID", "somebody-else")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: somebody-else")
    endpoint.will(says())
    ask(model())
    headers = endpoint.seen[0].headers
    assert "authorization" not in headers
    assert not [name for name, value in headers.items() if "somebody" in value]
    assert not [name for name in headers if name.startswith("x-")]


def test_a_key_from_the_environment(
    endpoint: Endpoint, model: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_KEY", "a-key-of-the-site")
    endpoint.will(says())
    ask(model(api_key_env="SITE_KEY"))
    assert endpoint.seen[0].headers["authorization"] == "Bearer a-key-of-the-site"


@pytest.mark.parametrize("shared", [False, True])
def test_concurrency_is_limited(
    endpoint: Endpoint, model: Make, tmp_path: Path, shared: bool
) -> None:
    body = says()

    def slow(handler: hostile.Handler) -> None:
        time.sleep(0.03)
        body(handler)

    endpoint.will(*[slow] * 8)
    one = model(concurrency=2, slot_folder=tmp_path / "slots" if shared else None)
    threads = [threading.Thread(target=ask, args=(one,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(endpoint.seen) == 8
    assert endpoint.most_under_way == 2


def test_a_closed_model_opens_again(endpoint: Endpoint, model: Make) -> None:
    endpoint.will(says("a"), says("b"))
    made = model()
    assert ask(made).text == "a"
    made.close()
    assert made.complete(MESSAGES).text == "b"
    assert endpoint.seen[1].body["seed"] == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"base_url": "host:8000/v1"}, "like http://host:8000/v1"),
        ({"base_url": "http://[bad/v1"}, "like http://host:8000/v1"),
        ({"base_url": "http://user:hunter22@host/v1"}, r"no credentials .* found some"),
        ({"base_url": "http://host/v1?api_key=hunter22"}, r"no credentials .* found some"),
        ({"api_key_file": "f", "api_key_env": "V"}, "found both the file 'f' and the variable"),
        ({"concurrency": 0}, "concurrency .* above zero, found 0"),
        ({"max_retries": -1}, "max_retries .* from zero up, found -1"),
        ({"extra": {"stream": True}}, r"found \['stream'\]"),
    ],
)
def test_a_description_that_makes_no_sense(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelSpecError, match=sentence) as raised:
        ModelSpec(**{"name": "m", "base_url": "http://host/v1", **changes})
    assert "hunter22" not in str(raised.value)
