"""An API key, named by the settings, reaches the endpoint and nothing else."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import pytest

from agents.model import EndpointModel
from pipeline.agent_settings import ModelSettings
from pipeline.models import spec_of
from tests.agents.bench import instructs, reviews
from tests.agents.hostile import Endpoint, Handler, Server, completion
from tests.hostile.attack import Attack
from tests.hostile.chain import Chain
from tests.hostile.conftest import Host

pytestmark = pytest.mark.sandbox

KEY = "sk-" + "0123456789abcdef" * 2
NAME = "LADON_TEST_ENDPOINT_KEY"
SEARCH = Path(__file__).parent / "searches_for_keys.py"


@dataclass
class CommandLines(threading.Thread):
    """Reads the command lines and environments of all new processes, again and again."""

    before: frozenset[int]
    seen: set[str] = field(default_factory=set)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        while not self.ended.wait(0.02):
            for pid in set(psutil.pids()) - self.before:
                for what in ("cmdline", "environ"):
                    try:
                        self.seen.add(Path(f"/proc/{pid}/{what}").read_bytes().decode("latin1"))
                    except OSError:
                        continue


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """A local server of chat completions."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    server = Server(("127.0.0.1", 0), Handler)
    server.endpoint = Endpoint(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.endpoint
    server.endpoint.stopping.set()
    server.shutdown()
    server.server_close()
    thread.join()


def echoes(text: str) -> Callable[[Handler], None]:
    """Answer with `text` and the key that was sent, in every place that a server can put it."""

    def answer(handler: Handler) -> None:
        sent = handler.headers["authorization"]
        body = completion(f"{text}\n<!-- {sent} -->", id=sent, reasoning_content=sent)
        handler.reply(200, json.dumps(body).encode(), content_type="application/json")

    return answer


@pytest.mark.parametrize("place", ["file", "environment"])
def test_the_key_reaches_the_endpoint_alone(
    place: str, chain: Chain, host: Host, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file = host.secret_file.with_name("endpoint-key")
    key_file.write_text(KEY + "\n", encoding="utf-8")
    key_file.chmod(0o600)
    monkeypatch.setenv(NAME, KEY)
    named = {"api_key_file": str(key_file)} if place == "file" else {"api_key_env": NAME}
    model = ModelSettings("test", "endpoint", repository="test/model",
                          base_url=endpoint.base_url, max_retries=0, **named)  # fmt: skip
    code = Attack.at(SEARCH).code({"key file": repr(str(key_file)), "key name": repr(NAME)})
    endpoint.will(
        echoes(instructs("be good")), echoes(f"```python\n{code}\n```"),
        echoes(reviews("accept", "good")),
    )  # fmt: skip
    watch = CommandLines(frozenset(psutil.pids()))
    watch.start()
    with EndpointModel(spec_of(model, 1)) as client:
        ours = replace(chain, settings=replace(chain.settings, model=model))
        ending = ours.solve(f"secret-{place}", "preprocess", client, judged=place == "file")
    watch.ended.set()
    watch.join()

    assert ending.caught_by == "nobody", ending.failure
    assert [s.headers["authorization"] for s in endpoint.seen] == [f"Bearer {KEY}"] * 3
    assert any("\0inside\0" in line for line in watch.seen)  # a sandbox was looked at
    said = (ending.folder / "trajectory.jsonl").read_text(encoding="utf-8")
    assert "environment: [" in said  # the search ran, and what it found was kept
    assert "opened: 0 of 6" in said
    for body in (json.dumps(seen.body) for seen in endpoint.seen):
        assert KEY not in body
    assert not [line for line in watch.seen if KEY in line]
    kept = [path for path in chain.folder.rglob("*") if path.is_file()]
    assert len(kept) > 20
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []
    assert os.environ[NAME] == KEY
    assert key_file.stat().st_mode & 0o777 == 0o600
