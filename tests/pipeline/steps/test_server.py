"""The process that steps are copied from: same result, same output, and nothing outlives it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.configure import configure
from pipeline.graph import child_environment
from pipeline.step_server import StepServer
from pipeline.workflow.layout import STEP_STARTER

HELLO = """
import os, sys
print("argv", sys.argv[1:], "in", os.getcwd())
print("to stderr", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""
SLEEPS = """
import os, time
print(os.getpid(), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StepServer]:
    """A server that knows two modules of the test besides our own."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "hello_step.py").write_text(HELLO)
    (folder / "sleeping_step.py").write_text(SLEEPS)
    settings = configure(["run.name=x"])
    environment = child_environment(settings, folder)
    environment["PYTHONPATH"] += os.pathsep + str(folder)
    with StepServer(settings, environment) as made:
        socket = Path(words(made)[-1])
        deadline = time.monotonic() + 60
        while not socket.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield made


def words(server: StepServer) -> list[str]:
    return shlex.split(server.environment[STEP_STARTER])


def start(server: StepServer, *step: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*words(server), "-m", *step],
        cwd=folder,
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("code", [0, 3])
def test_as_python_would_do_it(server: StepServer, tmp_path: Path, code: int) -> None:
    out, err = (
        child := start(server, "hello_step", str(code), "a b", folder=tmp_path)
    ).communicate()
    assert (child.returncode, err) == (code, "to stderr\n")
    assert out == f"argv ['{code}', 'a b'] in {tmp_path}\n"


def test_many_at_once_do_not_meet(server: StepServer, tmp_path: Path) -> None:
    children = [start(server, "hello_step", str(n), folder=tmp_path) for n in range(20)]
    for number, child in enumerate(children):
        out, _ = child.communicate()
        assert child.returncode == number
        assert f"argv ['{number}']" in out


def test_a_step_ends_with_the_one_who_asked(server: StepServer, tmp_path: Path) -> None:
    child = start(server, "sleeping_step", folder=tmp_path)
    assert child.stdout is not None
    step = psutil.Process(int(child.stdout.readline()))
    child.kill()
    child.communicate()
    step.wait(10)


def test_a_step_that_is_killed_is_told(server: StepServer, tmp_path: Path) -> None:
    child = start(server, "sleeping_step", folder=tmp_path)
    assert child.stdout is not None
    os.kill(int(child.stdout.readline()), signal.SIGKILL)
    child.communicate()
    assert child.returncode == 128 + signal.SIGKILL


def test_the_fault_of_a_step_is_in_its_output(server: StepServer, tmp_path: Path) -> None:
    child = start(server, "no_such_step", folder=tmp_path)
    _, err = child.communicate()
    assert child.returncode == 1
    assert "no_such_step" in err


def test_without_a_server_a_step_starts_all_the_same(server: StepServer, tmp_path: Path) -> None:
    given = [*words(server)[:-1], str(tmp_path / "no-socket"), "-m", "hello_step", "4"]
    done = subprocess.run(
        given, cwd=tmp_path, env=server.environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (4, "to stderr\n")


def test_nothing_is_left_of_a_server(tmp_path: Path) -> None:
    settings = configure(["run.name=x"])
    before = psutil.Process().children()
    with StepServer(settings, child_environment(settings, tmp_path)) as made:
        folder = Path(words(made)[-1]).parent
        assert folder.stat().st_mode & 0o077 == 0
        (ours,) = (p for p in psutil.Process().children() if p not in before)
    assert not folder.exists()
    assert not ours.is_running()


def test_a_temporary_folder_with_a_long_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of a socket has room for 107 bytes."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    settings = configure(["run.name=x"])
    with StepServer(settings, child_environment(settings, tmp_path)) as made:
        socket, deadline = Path(words(made)[-1]), time.monotonic() + 60
        while not socket.is_socket():
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert not socket.parent.exists()


def test_jobs_and_images_start_their_steps_themselves(tmp_path: Path) -> None:
    settings = configure(["run.name=x", "site=testbed"])
    with StepServer(settings, {"A": "b"}) as made:
        assert made.environment == {"A": "b"}


def test_the_starter_imports_next_to_nothing() -> None:
    """A step's start must not cost what the server saves."""
    text = (Path("pipeline") / "steps" / "starter.py").read_text()
    used = {line.split()[1] for line in text.splitlines() if line.startswith("import ")}
    assert used <= set(sys.stdlib_module_names)
    assert "from " not in text.split('"""')[2]
