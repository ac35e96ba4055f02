"""Sockets of a process whose temporary folder has a name that is too long for them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from executors.sockets import folder_for_sockets
from tests.conftest import REPOSITORY

BELOW = "a-folder/a-socket"
MAPPED = """
import sys, tempfile
from pathlib import Path
from executors import make_executor
from tests.executors.conftest import chunks_of
from tests.executors.tasks import Sums
assert len(tempfile.gettempdir()) > 100
with make_executor("processes", 2) as executor:
    results = executor.map(chunks_of(Path(sys.argv[1]), 0, 500, 1000), Sums())
print(sum(result.value["numbers"] for result in results))
"""


@pytest.fixture
def long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder with a name of over a hundred bytes, as a batch job may have it."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_folder_with_room_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    room = 107 - len(str(tmp_path)) - 1
    assert folder_for_sockets("x" * room) == str(tmp_path)
    assert folder_for_sockets("x" * (room + 1)) != str(tmp_path)


def test_a_socket_fits_into_another_one(long: Path) -> None:
    with pytest.raises(OSError, match="path too long"), socket.socket(socket.AF_UNIX) as one:
        one.bind(str(long / BELOW))
    folder = Path(tempfile.mkdtemp(dir=folder_for_sockets("tmp12345678/a-socket")))
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(folder / "a-socket"))
    finally:
        (folder / "a-socket").unlink()
        folder.rmdir()


def test_worker_processes_start_there(long: Path, root_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAPPED, str(root_file)],
        env={**os.environ, "TMPDIR": str(long), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("499500\n", 0), done.stderr
    assert list(long.iterdir()) == []
