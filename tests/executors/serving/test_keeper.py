"""The keeper with real processes: a stand-in for vLLM is started, watched, restarted and ended."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from pathlib import Path

import psutil
import pytest

from executors.serving import metrics
from executors.serving.lease import Lease
from executors.serving.record import Endpoint
from tests.executors.serving.conftest import MODEL, Ask, Testbed, keeper_of, started


def test_ready_answers_and_stops_when_asked(testbed: Testbed, ask: Ask) -> None:
    folder = started(testbed)
    endpoint = testbed.wait(folder, "READY")
    assert endpoint.base_url is not None
    assert endpoint.base_url.startswith("http://127.0.0.1:")
    assert endpoint.node == os.uname().nodename
    assert (endpoint.restarts, endpoint.served_name) == (0, MODEL)
    assert stat.S_IMODE(folder.record.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.key_file.stat().st_mode) == 0o600

    assert ask(endpoint, "/v1/chat/completions", "sleep 0.3")[0] == 200
    time.sleep(0.6)
    told = testbed.wait(folder, "READY").metrics
    assert told is not None
    assert (told["requests"], told["prompt_tokens"], told["generation_tokens"]) == (1.0, 2.0, 3.0)
    assert told["prefix_hit_rate"] == 0.0
    assert testbed.wait(folder, "READY").energy_j is None
    assert "nvidia-smi" in str(testbed.wait(folder, "READY").energy_note)

    ended = testbed.pool.stop(folder, "the test is over")
    assert (ended.status, ended.reason) == ("STOPPED", "the test is over")
    assert testbed.left_over() == []


def test_the_key_is_in_its_file_and_nowhere_else(testbed: Testbed) -> None:
    folder = started(testbed)
    testbed.wait(folder, "READY")
    key = folder.key_file.read_text()
    keepers = testbed._running()
    lines = [" ".join(psutil.Process(pid).cmdline()) for pid in keepers]
    assert len(lines) >= 3
    assert any("stand_in.py" in line for line in lines)
    assert all(key not in line for line in lines)
    assert key not in "".join(psutil.Process(keeper_of(folder)).environ().values())
    testbed.pool.stop(folder, "over")
    holding = [p.name for p in folder.path.rglob("*") if p.is_file() and key in p.read_text()]
    assert holding == ["api_key"]


def test_a_crash_is_followed_by_a_restart_and_the_third_is_the_end(
    testbed: Testbed, ask: Ask
) -> None:
    folder = started(testbed)
    ports = set()
    for restarts in range(3):
        endpoint = testbed.wait(folder, "READY", restarts=restarts)
        ports.add(endpoint.base_url)
        ask(endpoint, "/die", "")
    ended = testbed.wait(folder, "FAILED")
    assert ended.restarts == 2
    assert len(ports) == 3
    assert str(ended.reason).startswith("died 3 times; the last time: vLLM ended with exit code 7;")
    assert "stand-in for vLLM" in str(ended.reason)
    assert testbed.left_over() == []


def test_dead_at_start_says_what_its_log_says(testbed: Testbed) -> None:
    folder = started(testbed, testbed.site(environment={"STAND_IN_DIES_AT_START": "1"}))
    ended = testbed.wait(folder, "FAILED")
    assert "exit code 3" in str(ended.reason)
    assert "the stand-in was told to die at its start" in str(ended.reason)
    assert [p.name for p in sorted(folder.logs.glob("vllm-*"))] == [
        "vllm-1.log", "vllm-2.log", "vllm-3.log",
    ]  # fmt: skip


def test_a_missing_vllm_is_named(testbed: Testbed, tmp_path: Path) -> None:
    folder = started(testbed, testbed.site(venv=str(tmp_path / "none"), restarts=0))
    ended = testbed.wait(folder, "FAILED")
    assert "tools/vllm.sh" in str(ended.reason)
    assert str(ended.reason).startswith("died once")


def test_slow_to_load_is_loading_and_too_slow_is_dead(testbed: Testbed) -> None:
    slow = {"STAND_IN_LOAD_S": "60"}
    folder = started(testbed, testbed.site(environment=slow, restarts=0, load_minutes=1 / 60))
    testbed.wait(folder, "LOADING")
    ended = testbed.wait(folder, "FAILED")
    assert "not ready after 0.0166667 minutes" in str(ended.reason)
    assert testbed.left_over() == []


def test_silent_is_dead(testbed: Testbed) -> None:
    folder = started(testbed, testbed.site(environment={"STAND_IN_DEAF": "1"}, restarts=0))
    ended = testbed.wait(folder, "FAILED")
    assert "vLLM runs and did not answer 7 times" in str(ended.reason)


def test_idle_is_stopped_and_use_keeps_it(testbed: Testbed, ask: Ask) -> None:
    folder = started(testbed, testbed.site(idle_minutes=0.9 / 60))
    endpoint = testbed.wait(folder, "READY")
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        assert ask(endpoint, "/v1/chat/completions", "sleep 0")[0] == 200
        time.sleep(0.2)
    assert Endpoint.load(folder.record).status == "READY"
    ended = testbed.wait(folder, "STOPPED")
    assert ended.reason == "no request for 0.015 minutes"
    assert ended.last_used is not None
    assert ended.ended is not None
    assert 0.8 < ended.ended - ended.last_used < 10
    assert testbed.left_over() == []


def test_a_long_request_is_use(testbed: Testbed, ask: Ask) -> None:
    folder = started(testbed, testbed.site(idle_minutes=0.7 / 60))
    endpoint = testbed.wait(folder, "READY")
    assert ask(endpoint, "/v1/chat/completions", "sleep 1.5")[0] == 200


def test_a_server_of_a_run_that_nobody_holds_stops(testbed: Testbed) -> None:
    from dataclasses import replace

    launch = replace(testbed.site(linger_minutes=1.0 / 60), owner="mine")
    folder = started(testbed, launch)
    with Lease(folder, "mine/main/convert", lease_s=0.5):
        testbed.wait(folder, "READY")
        time.sleep(2.0)
        assert Endpoint.load(folder.record).status == "READY"
    assert testbed.wait(folder, "STOPPED").reason == "nobody held it for 0.0166667 minutes"
    lines = metrics.load(folder.metrics)
    assert {user for line in lines for user in line["users"]} == {"mine/main/convert"}
    ended = Endpoint.load(folder.record)
    assert ended.started is not None
    assert ended.ended is not None
    cost = metrics.gpu_seconds(lines)
    assert sum(cost.values()) == pytest.approx(ended.ended - ended.started, abs=0.2)
    assert cost["mine/main/convert"] > 2.0


def test_the_signal_before_the_walltime_drains(testbed: Testbed, ask: Ask) -> None:
    folder = started(testbed)
    endpoint = testbed.wait(folder, "READY")
    answers: list[int] = []
    request = threading.Thread(
        target=lambda: answers.append(ask(endpoint, "/v1/chat/completions", "sleep 1.5")[0])
    )
    request.start()
    time.sleep(0.6)
    os.kill(keeper_of(folder), signal.SIGUSR1)
    testbed.wait(folder, "DRAINING")
    assert testbed.pool.find(testbed.launch.spec) is None
    ended = testbed.wait(folder, "STOPPED")
    request.join()
    assert answers == [200]
    assert ended.reason == "its walltime is near, and nothing is under way"
    assert testbed.left_over() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_of_it(testbed: Testbed, number: signal.Signals) -> None:
    folder = started(testbed, testbed.site(environment={"STAND_IN_LOAD_S": "60"}))
    testbed.wait(folder, "LOADING")
    os.kill(keeper_of(folder), number)
    assert testbed.wait(folder, "STOPPED").reason == "its job was ended (SIGTERM)"
    assert testbed.left_over() == []


def test_a_killed_keeper_leaves_nothing_and_is_seen(testbed: Testbed) -> None:
    folder = started(testbed)
    testbed.wait(folder, "READY")
    os.kill(keeper_of(folder), signal.SIGKILL)
    assert testbed.left_over() == []
    assert Endpoint.load(folder.record).status == "READY"
    assert testbed.pool.look(folder).status == "READY"  # its heartbeat is young
    seen = testbed.pool.look(folder, doubted=True)
    assert seen.status == "FAILED"
    assert "ended without a word" in str(seen.reason)


def test_a_record_that_says_ended_ends_the_server(testbed: Testbed) -> None:
    folder = started(testbed)
    endpoint = testbed.wait(folder, "READY")
    endpoint.to("FAILED", reason="its node was thought lost").save(folder.record)
    assert testbed.left_over() == []
    assert Endpoint.load(folder.record).reason == "its node was thought lost"
