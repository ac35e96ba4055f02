"""A step in a container asks the controller outside for servers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from executors.serving.errors import SchedulerError
from executors.serving.folder import ServerFolder
from executors.serving.relay import Relay, answer_requests
from executors.serving.scheduler import JobState
from executors.serving.spec import Launch
from tests.executors.serving.sites import LAUNCHES

INSIDE = replace(LAUNCHES["one_gpu"], python="/opt/ladon/bin/python", repository="/opt/ladon")


@dataclass
class Outside:
    """A scheduler that writes down what it was asked for."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def submit(self, folder: ServerFolder, launch: Launch) -> str:
        if folder.name == "refused":
            raise SchedulerError("sbatch says no")
        self.asked.append(("submit", launch.python))
        return "4711"

    def state(self, job: str) -> JobState:
        self.asked.append(("state", job))
        return "running"

    def cancel(self, job: str) -> None:
        self.asked.append(("cancel", job))


@pytest.fixture
def relay(tmp_path: Path) -> tuple[Relay, Outside]:
    """Answered each time that whoever asks looks for an answer."""
    outside = Outside()

    def look(_: float) -> None:
        answer_requests(
            tmp_path / "requests", outside, lambda launch: replace(launch, python="our")
        )

    return Relay(tmp_path / "requests", sleep=look), outside


def server(tmp_path: Path, name: str) -> ServerFolder:
    folder = ServerFolder(tmp_path / name)
    folder.path.mkdir()
    INSIDE.save(folder.launch)
    return folder


def test_a_server_is_started_with_the_code_outside(
    relay: tuple[Relay, Outside], tmp_path: Path
) -> None:
    inside, outside = relay
    folder = server(tmp_path, "model-001")
    assert inside.submit(folder, INSIDE) == "4711"
    assert outside.asked == [("submit", "our")]
    assert Launch.load(folder.launch).python == "our"
    assert list((tmp_path / "requests").iterdir()) == []


def test_states_and_ends_are_passed_on(relay: tuple[Relay, Outside]) -> None:
    inside, outside = relay
    assert inside.state("7") == "running"
    inside.cancel("7")
    assert outside.asked == [("state", "7"), ("cancel", "7")]


def test_a_refusal_is_passed_on(relay: tuple[Relay, Outside], tmp_path: Path) -> None:
    with pytest.raises(SchedulerError, match="sbatch says no"):
        relay[0].submit(server(tmp_path, "refused"), INSIDE)


def test_nobody_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("executors.serving.relay.ANSWER_S", 0.0)
    monkeypatch.setattr("executors.serving.relay.STATE_S", 0.0)
    alone = Relay(tmp_path / "requests", sleep=lambda _: None)
    assert alone.state("7") == "unknown"
    with pytest.raises(SchedulerError, match="expected the controller of the run to submit"):
        alone.submit(server(tmp_path, "model-001"), INSIDE)
    assert answer_requests(tmp_path / "nowhere", Outside(), lambda launch: launch) == 0


def test_a_request_that_makes_no_sense_is_answered(tmp_path: Path) -> None:
    requests = tmp_path / "requests"
    requests.mkdir()
    (requests / "a.request").write_text("not JSON")
    assert answer_requests(requests, Outside(), lambda launch: launch) == 1
    assert "error" in json.loads((requests / "a.answer").read_text())


def test_many_steps_at_once(tmp_path: Path) -> None:
    outside, done = Outside(), threading.Event()

    def serve() -> None:
        while not done.wait(0.01):
            answer_requests(tmp_path / "requests", outside, lambda launch: launch)

    asks: list[Callable[[], JobState]] = [
        lambda n=n: Relay(tmp_path / "requests").state(str(n))  # type: ignore[misc]
        for n in range(8)
    ]
    found: list[JobState] = []
    threads = [threading.Thread(target=lambda a=a: found.append(a())) for a in asks]
    serving = threading.Thread(target=serve)
    for thread in (serving, *threads):
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    done.set()
    serving.join()
    assert found == ["running"] * 8
    assert sorted(outside.asked) == [("state", str(n)) for n in range(8)]
