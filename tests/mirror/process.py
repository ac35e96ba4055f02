"""Server processes of tests: a free port, a wait until it answers, and an end."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def binary(name: str, package: str) -> str:
    """The path of a server's program; the test is skipped where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: make testbed, or apt-get install {package}")
    return found


@contextmanager
def serving(command: Sequence[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`command` until the block ends; it must answer at `port` before the block begins."""
    with log.open("ab") as said:
        child = subprocess.Popen(command, stdout=said, stderr=said, cwd=log.parent)
    try:
        until = time.monotonic() + 60
        while True:
            assert child.poll() is None, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.05)
        yield child
    finally:
        child.terminate()
        child.wait(timeout=60)
