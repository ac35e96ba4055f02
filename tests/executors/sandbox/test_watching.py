"""The second line: what counts as too much, how ends are named, messages and output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from executors.sandbox import Limits, endings, processes
from executors.sandbox.inside import framing, report
from executors.sandbox.inside.__main__ import EXIT_CHANNEL
from executors.sandbox.inside.audit import SandboxViolation
from executors.sandbox.output import TAIL, Output
from executors.sandbox.watchdog import Watchdog, judge

LIMITS = Limits(cpu_s=10, wall_s=20, memory_mb=1000, processes=4)


@pytest.mark.parametrize(
    ("usage", "wall", "status"),
    [
        ((4, 36, 1000.0, 10.9), 20.0, None),
        ((5, 5, 10.0, 0.0), 0.0, "violation"),
        ((1, 37, 10.0, 0.0), 0.0, "violation"),
        ((1, 1, 1000.1, 0.0), None, "memory"),
        ((1, 1, 10.0, 12.1), 0.0, "cpu"),
        ((1, 1, 10.0, 0.0), 20.1, "timeout"),
    ],
)
def test_judge(usage: tuple[int, int, float, float], wall: float | None, status: Any) -> None:
    verdict = judge(LIMITS, processes.Usage(*usage), 1.0, wall)
    assert (verdict.status if verdict else None) == status


def test_messages_say_the_limit_and_what_was_found() -> None:
    verdict = judge(LIMITS, processes.Usage(1, 1, 1234.5, 0.0), 0.0, None)
    assert verdict
    assert verdict.message == "over the memory limit of 1000 MB, found 1234 MB"


def test_watchdog_ends_once_and_stops() -> None:
    ended: list[float] = []
    limits = Limits(wall_s=0.2, cpu_s=1e6)  # this process and all that it waited for count
    dog = Watchdog(lambda _: [os.getpid()], lambda: ended.append(time.monotonic()), limits)
    dog.start()
    time.sleep(0.4)
    assert ended == []  # no call, no time limit
    dog.begin()
    dog.join(timeout=5)
    assert len(ended) == 1
    assert dog.verdict
    assert dog.verdict.status == "timeout"
    assert dog.max_rss_mb > 10
    dog.stop()


def test_descendants_and_their_usage() -> None:
    code = "import subprocess, sys, time; c = [subprocess.Popen([sys.executable, '-c', "
    code += "'import time; time.sleep(60)']) for _ in range(3)]; print(1, flush=True); "
    code += "time.sleep(60)"
    mark = f"MARK_OF_THIS_TEST={os.urandom(8).hex()}"
    name, value = mark.split("=")
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env=os.environ | {name: value},
        start_new_session=True,
    ) as parent:
        try:
            assert parent.stdout is not None
            parent.stdout.readline()
            children = processes.descendants(parent.pid, 10)
            assert len(children) == 3
            assert len(processes.descendants(parent.pid, 1)) == 2
            marked, until = sorted([parent.pid, *children]), time.monotonic() + 10
            # A program that has just begun shows its environment a moment later.
            while sorted(processes.with_mark(mark)) != marked:
                assert time.monotonic() < until
                time.sleep(0.01)
            used = processes.usage([parent.pid, *children, 2**22 + 1])
            assert (used.processes, used.threads) == (4, 4)
            assert 10 < used.rss_mb < 500
            assert 0 < processes.shared_once_mb([parent.pid, *children]) < used.rss_mb
            assert processes.tasks_of_user(os.getuid()) >= 5
            processes.give_up_first(children)
            with open(f"/proc/{children[0]}/oom_score_adj") as file:
                assert file.read().strip() == "1000"
        finally:
            os.killpg(parent.pid, signal.SIGKILL)
    assert processes.descendants(parent.pid, 10) == []


@pytest.mark.parametrize(
    ("code", "status", "number"),
    [
        (0, "killed", None),
        (1, "killed", None),
        (-9, "killed", 9),
        (139, "killed", 11),
        (128 + signal.SIGXCPU, "cpu", signal.SIGXCPU),
        (-signal.SIGXCPU, "cpu", signal.SIGXCPU),
        (EXIT_CHANNEL, "protocol", None),
    ],
)
def test_ends_of_processes(code: int, status: str, number: int | None) -> None:
    result = endings.ended(code)
    assert (result.status, result.signal) == (status, number)
    assert endings.EXIT_CHANNEL == EXIT_CHANNEL


@pytest.mark.parametrize(
    "frame",
    [{}, {"error": "text"}, {"error": {"kind": "ok"}}, {"error": {"kind": "timeout"}}],
)
def test_worker_may_not_say_everything(frame: dict[str, Any]) -> None:
    assert endings.reported(frame).status == "protocol"


def test_what_a_worker_says_is_cut_to_size() -> None:
    error = {"kind": "exception", "type": "x" * 999, "message": ["no"], "traceback": "t" * 99_999}
    result = endings.reported({"error": error | {"line": True}, "violations": ["v" * 999] * 99})
    assert (len(result.exception_type), len(result.traceback)) == (200, 16_000)
    assert (result.message, result.line) == ("", None)
    assert [len(v) for v in result.violations] == [200] * 20


def test_messages() -> None:
    data = framing.pack({"id": 1})
    assert framing.unpack(data) == {"id": 1}
    assert [framing.unpack(data[:n]) for n in range(len(data))] == [None] * len(data)
    reader, writer = os.pipe()
    framing.send(writer, {"id": 2})
    assert framing.receive(reader) == {"id": 2}
    os.close(writer)
    assert framing.receive(reader) is None
    os.close(reader)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ((1 << 60).to_bytes(8, "little"), "at most 262144 bytes"),
        ((2).to_bytes(8, "little") + b"{}x", "1 bytes after the end"),
        ((2).to_bytes(8, "little") + b"{x", "expected JSON"),
        ((2).to_bytes(8, "little") + b"[]", "JSON object, found list"),
        ((200_000).to_bytes(8, "little") + b"[" * 200_000, "expected JSON"),
    ],
)
def test_messages_that_are_none(data: bytes, says: str) -> None:
    with pytest.raises(framing.FramingError, match=says):
        framing.unpack(data)


def test_output_keeps_the_end() -> None:
    output = Output(limit=100_000)
    for _ in range(10):
        output.first(b"a" * 9_999 + b"b")
    assert not output.over
    assert len(output.stdout) == TAIL
    assert output.stdout.endswith("ab")
    output.second("é".encode())
    assert output.over
    assert output.stderr == "é"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("no"), "exception"),
        (MemoryError("too large"), "memory"),
        (SandboxViolation("x"), "violation"),
        (OSError(27, "File too large"), "violation"),
        (BlockingIOError(11, "Resource temporarily unavailable"), "violation"),
        (FileNotFoundError(2, "No such file"), "exception"),
        (KeyboardInterrupt(), "exception"),
    ],
)
def test_kinds_of_exceptions(error: BaseException, kind: str) -> None:
    described = report.describe(error, "/solution/solution.py", [])
    assert described["kind"] == kind
    assert described["type"] == type(error).__name__
    json.dumps(described)


def test_traceback_holds_no_folder_of_the_machine() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        folder = os.path.dirname(os.__file__)
        described = report.describe(error, __file__, [folder])
    assert 'File "json/__init__.py"' in described["traceback"]
    assert folder not in described["traceback"]
    assert described["message"].startswith("Expecting property name")
