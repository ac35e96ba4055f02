"""Fixtures of the agents' tests: an endpoint that misbehaves on demand, and a model at it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from agents.model import EndpointModel, ModelSpec
from tests.agents.hostile import Endpoint, Handler, Server

KEY = "sk-the/secret+of\"all'keys"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests to this machine stay on it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A server of chat completions; it answers what it is told with `endpoint.will(...)`."""
    server = Server(("127.0.0.1", 0), Handler)
    server.endpoint = Endpoint(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.endpoint
    server.endpoint.stopping.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A file with the API key, mode 0600."""
    path = tmp_path / "secrets" / "key"
    path.parent.mkdir()
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def waits() -> list[float]:
    """The seconds that the model of this test waited between attempts (it does not really wait)."""
    return []


@pytest.fixture
def model(endpoint: Endpoint, waits: list[float]) -> Iterator[Callable[..., EndpointModel]]:
    """Makes a model at the endpoint, with any part of its description changed."""
    with ExitStack() as stack:

        def make(slot_folder: Path | None = None, **changes: Any) -> EndpointModel:
            given = {
                "name": "test/model", "base_url": endpoint.base_url,
                "timeout_s": 5.0, "max_retries": 2, **changes,
            }  # fmt: skip
            made = EndpointModel(ModelSpec(**given), slot_folder, sleep=waits.append)
            return stack.enter_context(made)

        yield make
