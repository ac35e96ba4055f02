"""Finding, starting, sharing and losing servers, with real keepers around a stand-in for vLLM."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace

import pytest

from executors.serving.client import Held, acquire
from executors.serving.errors import SchedulerError, ServerFailedError, ServerWaitError
from executors.serving.folder import ServerFolder
from executors.serving.lease import holders
from executors.serving.pool import Pool
from executors.serving.record import Endpoint
from executors.serving.scheduler import JobState
from executors.serving.spec import Launch
from tests.executors.serving.conftest import Testbed, keeper_of, started


def test_many_who_need_it_share_one(testbed: Testbed) -> None:
    held: list[Held] = []

    def need(number: int) -> None:
        held.append(acquire(testbed.pool, testbed.launch, f"run/main/{number}", time.time()))

    threads = [threading.Thread(target=need, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({h.folder.name for h in held}) == 1
    assert held[0].folder.name.endswith("-001")
    users = holders(held[0].folder, 2.0)
    assert users == ["run/main/0", "run/main/1", "run/main/2", "run/main/3"]
    for h in held:
        assert h.is_ready()
        h.release()
    assert holders(held[0].folder, 2.0) == []
    stopped = testbed.pool.stop_all(None, "over")
    assert [e.status for e in stopped] == ["STOPPED"]
    assert testbed.left_over() == []


def test_another_model_gets_another_server(testbed: Testbed) -> None:
    other = replace(testbed.launch, spec=replace(testbed.launch.spec, revision="def"))
    with (
        acquire(testbed.pool, testbed.launch, "a", time.time()) as one,
        acquire(testbed.pool, other, "b", time.time()) as two,
    ):
        assert one.base_url != two.base_url
        assert one.api_key_file != two.api_key_file
    testbed.pool.stop_all(None, "over")


def test_a_lost_server_is_replaced(testbed: Testbed) -> None:
    since = time.time()
    with acquire(testbed.pool, testbed.launch, "run/main/fit", since) as first:
        os.kill(keeper_of(first.folder), signal.SIGKILL)
        assert testbed.left_over() == []
        assert not first.is_ready(doubted=True)
        with acquire(testbed.pool, testbed.launch, "run/main/fit", since) as second:
            assert second.folder.name.endswith("-002")
            assert second.is_ready()
    testbed.pool.stop_all(None, "over")


def test_too_many_deaths_are_infrastructure(testbed: Testbed) -> None:
    launch = testbed.site(environment={"STAND_IN_DIES_AT_START": "1"}, restarts=1)
    since = time.time()
    said: list[str] = []
    with pytest.raises(ServerFailedError) as caught:
        acquire(testbed.pool, launch, "run/main/fit", since, said.append)
    assert caught.value.attribution == "infrastructure"
    assert caught.value.category == "infrastructure error"
    assert "died 2 times" in str(caught.value)
    assert "told to die at its start" in str(caught.value)
    assert any("is FAILED" in text for text in said)
    began = time.monotonic()
    with pytest.raises(ServerFailedError):  # at once: the run's other stages start none
        acquire(testbed.pool, launch, "run/main/measure", since)
    assert time.monotonic() - began < 1.0
    assert len(list(testbed.pool.servers())) == 1


def test_the_same_command_again_tries_again(testbed: Testbed) -> None:
    launch = testbed.site(environment={"STAND_IN_DIES_AT_START": "1"}, restarts=0)
    with pytest.raises(ServerFailedError):
        acquire(testbed.pool, launch, "run/main/fit", time.time())
    with acquire(testbed.pool, testbed.launch, "run/main/fit", time.time()) as held:
        assert held.folder.name.endswith("-002")
    testbed.pool.stop_all(None, "over")


class Queue:
    """A STAND-IN for a scheduler whose queue never moves, or that refuses."""

    def __init__(self, refusal: str = "", state: JobState = "waiting") -> None:
        self.refusal, self.now = refusal, state
        self.cancelled: list[str] = []

    def submit(self, folder: ServerFolder, launch: Launch) -> str:
        if self.refusal:
            raise SchedulerError(self.refusal)
        return "77"

    def state(self, job: str) -> JobState:
        return self.now

    def cancel(self, job: str) -> None:
        self.cancelled.append(job)
        self.now = "gone"


def test_a_long_queue_is_a_sentence_and_its_lease_is_gone(testbed: Testbed) -> None:
    pool = Pool(testbed.pool.path, Queue())
    launch = testbed.site(queue_minutes=0.01)
    with pytest.raises(ServerWaitError, match="found it PENDING") as caught:
        acquire(pool, launch, "run/main/fit", time.time())
    assert "has written no log" in str(caught.value)
    ((folder, endpoint),) = pool.servers()
    assert endpoint.status == "PENDING"
    assert holders(folder, 60.0) == []


def test_a_job_that_left_the_queue_has_failed(testbed: Testbed) -> None:
    pool = Pool(testbed.pool.path, Queue(state="gone"))
    folder = pool.start(testbed.launch)
    assert folder is not None
    seen = pool.look(folder)
    assert (seen.status, "job 77 ended" in str(seen.reason)) == ("FAILED", True)


def test_a_scheduler_that_does_not_answer_means_nothing(testbed: Testbed) -> None:
    pool = Pool(testbed.pool.path, Queue(state="unknown"))
    folder = pool.start(testbed.launch)
    assert folder is not None
    assert pool.look(folder).status == "PENDING"


def test_a_refusal_is_kept_and_raised(testbed: Testbed) -> None:
    pool = Pool(testbed.pool.path, Queue(refusal="Invalid account"))
    with pytest.raises(SchedulerError, match="Invalid account"):
        acquire(pool, testbed.launch, "run/main/fit", time.time())
    ((_, endpoint),) = pool.servers()
    assert (endpoint.status, endpoint.reason) == ("FAILED", "Invalid account")


def test_a_waiting_job_is_cancelled_by_stop(testbed: Testbed) -> None:
    queue = Queue()
    pool = Pool(testbed.pool.path, queue)
    folder = pool.start(testbed.launch)
    assert folder is not None
    assert pool.stop(folder, "not needed").status == "STOPPED"
    assert queue.cancelled == ["77"]


def test_a_silent_keeper_is_ended(testbed: Testbed) -> None:
    queue = Queue(state="running")
    pool = Pool(testbed.pool.path, queue, clock=lambda: time.time() + 3600)
    folder = pool.start(testbed.launch)
    assert folder is not None
    endpoint = Endpoint.load(folder.record)
    endpoint.to("LOADING", job="77", heartbeat=time.time()).save(folder.record)
    seen = pool.look(folder)
    assert "no sign of life for 36" in str(seen.reason)
    assert queue.cancelled == ["77"]


def test_stop_all_leaves_what_others_hold(testbed: Testbed) -> None:
    launch = replace(testbed.launch, owner="mine")
    folder = started(testbed, launch)
    with acquire(testbed.pool, launch, "theirs/main/fit", time.time()) as held:
        assert held.folder == folder
        assert testbed.pool.stop_all("mine", "the run is over") == []
        assert held.is_ready()
    assert [e.status for e in testbed.pool.stop_all("mine", "the run is over")] == ["STOPPED"]
    assert testbed.pool.stop_all("mine", "again") == []


def test_two_who_look_at_once_start_one(testbed: Testbed) -> None:
    """Both find none and are told the same name; one of them gets it."""
    pool = Pool(testbed.pool.path, Queue())
    names = [pool.next_name(testbed.launch.spec) for _ in range(2)]
    assert names[0] == names[1]
    first = pool.start(testbed.launch, names[0])
    assert first is not None
    assert pool.start(testbed.launch, names[1]) is None
    assert pool.next_name(testbed.launch.spec).endswith("-002")


def test_a_folder_without_a_record_is_a_server_being_made(testbed: Testbed) -> None:
    pool = Pool(testbed.pool.path, Queue())
    (pool.path / pool.next_name(testbed.launch.spec)).mkdir()
    assert pool.find(testbed.launch.spec) is None
    assert pool.is_being_made(testbed.launch.spec)
    later = Pool(pool.path, Queue(), clock=lambda: time.time() + 61)
    assert not later.is_being_made(testbed.launch.spec)
