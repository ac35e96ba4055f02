"""An endpoint over real HTTP: who lists the model, with which key, and that no key is shown."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipeline.configure import configure
from pipeline.doctor import endpoint
from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs
from tests.executors.serving.conftest import MODEL

KEY = "a-key-that-nobody-sees"


class Handler(BaseHTTPRequestHandler):
    """Lists one model to those who have the key; says the key where it is wrong."""

    def do_GET(self) -> None:
        right = self.headers.get("Authorization") == f"Bearer {KEY}"
        body = json.dumps({"object": "list", "data": [{"id": MODEL}]} if right else {"error": KEY})
        self.send_response(200 if right else 401)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def base_url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def asked(base_url: str, folder: Path, key: str = KEY, model: str = MODEL) -> Finding:
    file = folder / "key"
    file.write_text(key)
    file.chmod(0o600)
    settings = configure(
        [
            "model=endpoint",
            f"model.repository={model}",
            f"model.base_url={base_url}",
            f"model.api_key_file={file}",
        ]
    )
    (finding,) = endpoint.look(settings, Needs.of(settings))
    assert KEY not in str(finding)
    return finding


def test_an_endpoint_that_lists_the_model(base_url: str, in_tmp: Path) -> None:
    assert asked(base_url, in_tmp).state == "ok"


def test_another_model(base_url: str, in_tmp: Path) -> None:
    finding = asked(base_url, in_tmp, model="some/other")
    assert finding.fatal
    assert f"found '{MODEL}'" in finding.said


def test_a_wrong_key(base_url: str, in_tmp: Path) -> None:
    finding = asked(base_url, in_tmp, key="another-key")
    assert finding.fatal
    assert "found 401; is the key right?" in finding.said


def test_nobody_listens(in_tmp: Path) -> None:
    finding = asked("http://127.0.0.1:9/v1", in_tmp)
    assert finding.fatal
    assert "http://127.0.0.1:9/v1/models" in finding.said


def test_a_login_node_may_not_reach_what_nodes_do(in_tmp: Path) -> None:
    settings = configure(["site=testbed", "model=memo", "model.base_url=http://127.0.0.1:9/v1"])
    (here,) = endpoint.look(settings, Needs.of(settings, variables={}))
    assert (here.state, here.fatal) == ("missing", False)
    assert "ladon doctor --nodes" in here.next_step
    assert endpoint.look(settings, Needs.of(settings, on_node=True))[0].fatal


def test_a_key_that_others_may_read(base_url: str, in_tmp: Path) -> None:
    (in_tmp / "open").write_text(KEY)
    (in_tmp / "open").chmod(0o644)
    settings = configure(
        [
            "model=endpoint",
            f"model.repository={MODEL}",
            f"model.base_url={base_url}",
            f"model.api_key_file={in_tmp / 'open'}",
        ]
    )
    (finding,) = endpoint.look(settings, Needs.of(settings))
    assert finding.fatal
    assert "0644" in finding.said


def test_servers_of_the_folder(in_tmp: Path) -> None:
    settings = configure([])
    names = [f.name for f in endpoint.look(settings, Needs.of(settings))]
    assert names == ["endpoint", "servers"]
    broken = in_tmp / "outputs" / "servers" / "one"
    broken.mkdir(parents=True)
    (broken / "record.json").write_text("{")
    (_, found) = endpoint.look(settings, Needs.of(settings))
    assert (found.state, found.fatal) == ("warning", False)
