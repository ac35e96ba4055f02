"""Servers for the tests: real keepers on this machine, around a stand-in for vLLM."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from executors.sandbox.processes import with_mark
from executors.serving.folder import ServerFolder
from executors.serving.pool import Pool
from executors.serving.record import Endpoint, Status
from executors.serving.scheduler import Here
from executors.serving.spec import Launch, ServeSpec, SiteSpec

REPOSITORY = Path(__file__).resolve().parents[3]
STAND_IN = Path(__file__).with_name("stand_in.py")
MODEL = "owner/model"
SPEC = ServeSpec("small", MODEL, MODEL, revision="abc", context=4096)
WITHIN_S = 30.0


@dataclass
class Testbed:
    """A pool of servers, and what they are started with."""

    __test__ = False
    pool: Pool
    launch: Launch
    mark: str
    asked: list[str] = field(default_factory=list)

    def site(self, **changes: Any) -> Launch:
        """The launch with other settings of the site; `environment` is added to what is there."""
        added = changes.pop("environment", {})
        site = self.launch.site
        site = replace(site, environment={**site.environment, **added}, **changes)
        return replace(self.launch, site=site)

    def wait(self, folder: ServerFolder, *wanted: Status, **members: Any) -> Endpoint:
        """The record when it is in a wanted status, with these members."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            endpoint = Endpoint.load(folder.record)
            if endpoint.status in wanted and all(
                getattr(endpoint, name) == value for name, value in members.items()
            ):
                return endpoint
            time.sleep(0.05)
        log = folder.newest_log()
        raise AssertionError(f"{endpoint}\n{log and log.read_text()[-3000:]}")

    def left_over(self) -> list[int]:
        """Processes of these servers and their keepers that still run."""
        deadline = time.monotonic() + 15.0
        while (found := self._running()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _running(self) -> list[int]:
        found = []
        for pid in {*with_mark(self.mark), *self._keepers()}:
            try:
                if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                    found.append(pid)
            except psutil.NoSuchProcess:
                continue
        return found

    def _keepers(self) -> Iterator[int]:
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self.pool.path) in word for word in process.info["cmdline"] or ()):
                yield process.pid


@pytest.fixture
def testbed(tmp_path: Path) -> Iterator[Testbed]:
    """Everything quick; the folder's name has a space and a quote. Nothing runs afterwards."""
    room = tmp_path / "it's a room"
    venv = room / "venv"
    (venv / "bin").mkdir(parents=True)
    program = venv / "bin" / "vllm"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    program.chmod(0o755)
    mark = f"STAND_IN_MARK={uuid.uuid4().hex}"
    name, _, value = mark.partition("=")
    site = SiteSpec(
        venv=str(venv),
        environment={name: value},
        poll_s=0.1,
        lease_s=2.0,
        offline=True,
        idle_minutes=60.0,
    )
    launch = Launch(SPEC, site, sys.executable, str(REPOSITORY))
    bed = Testbed(Pool(room / "servers", Here(end_s=10.0)), launch, mark)
    yield bed
    for pid in bed._running():
        psutil.Process(pid).kill()


Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask() -> Ask:
    """Asks a server something over HTTP; status and text."""
    import http.client
    import json
    from urllib.parse import urlsplit

    def send(endpoint: Endpoint, path: str, content: str | None = None) -> tuple[int, str]:
        address = urlsplit(str(endpoint.base_url))
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
        key = Path(endpoint.api_key_file).read_text()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        messages = [{"role": "user", "content": content}]
        body = json.dumps({"model": MODEL, "messages": messages})
        try:
            connection.request("GET" if content is None else "POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except ConnectionError as error:
            return 0, str(error)
        except http.client.HTTPException as error:
            return 0, str(error)
        finally:
            connection.close()

    return send


def started(bed: Testbed, launch: Launch | None = None) -> ServerFolder:
    """A server that was just submitted."""
    folder = bed.pool.start(launch or bed.launch)
    assert folder is not None
    return folder


def keeper_of(folder: ServerFolder) -> int:
    """Process id of the keeper."""
    return int(str(Endpoint.load(folder.record).job).rpartition("-")[2])
