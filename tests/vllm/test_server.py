"""The tests' own server: no process of it is left, whoever ends first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.vllm.server import command, end_group, free_port, guarded

pytestmark = pytest.mark.timeout(120)

FAMILY = ["sh", "-c", "sleep 600 & sleep 600 & wait"]
"""A process with children, as a server and its engine are."""
HOLDER = """
import subprocess, sys, time
from tests.vllm.server import guarded
family = subprocess.Popen({family!r}, start_new_session=True)
with guarded(family):
    print(family.pid, flush=True)
    time.sleep(600)
"""


def members(group: int) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def wait_for(number: int, group: int) -> None:
    deadline = time.monotonic() + 30
    while len(members(group)) != number:
        assert time.monotonic() < deadline, f"expected {number} of {group}, found {members(group)}"
        time.sleep(0.05)


def test_the_whole_group_ends_with_the_block() -> None:
    family = subprocess.Popen(FAMILY, start_new_session=True)
    with guarded(family):
        wait_for(3, family.pid)
    assert members(family.pid) == []
    assert family.returncode == -signal.SIGKILL


def test_the_whole_group_ends_with_a_test_that_is_killed() -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(family=FAMILY)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert holder.stdout is not None
    group = int(holder.stdout.readline())
    wait_for(3, group)
    holder.kill()
    holder.communicate()
    wait_for(0, group)


def test_ending_a_group_that_is_gone_is_no_error() -> None:
    family = subprocess.Popen(["true"], start_new_session=True)
    family.wait()
    end_group(family)


@pytest.mark.parametrize("secret", ["key", "token"])
def test_the_command_line_names_no_secret(secret: str) -> None:
    said = command(Path("python"), Path("model"), "ladon/random", free_port())
    assert not any(secret in word for word in said)
