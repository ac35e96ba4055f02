"""Copies of the zygote: as separate as fresh processes, with nothing of its rights, replaceable."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from executors.sandbox import Bubblewrap, Limits, zygote

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can join a sandbox's namespaces"),
]
SOLUTION = """
import os, random, sys
import numpy as np
LEFT = []
def surprises():
    return [float(np.random.rand()), random.random()]
def remembers():
    LEFT.append(1)
    with open("/tmp/left", "a") as file:
        file.write("x")
    return [len(LEFT), os.path.getsize("/tmp/left")]
def seen():
    return [sys.argv, dict(os.environ), os.getcwd(), sys.path, os.getuid() > 0, os.getgroups()]
def packages():
    return sorted(name for name in sys.modules if name in ("numpy", "sklearn", "awkward"))
"""


@pytest.fixture
def running() -> Iterator[zygote.Zygote]:
    """A zygote of this test alone."""
    zygote.end()
    assert zygote.begin()
    found = zygote.current()
    assert found is not None
    yield found
    zygote.end()
    zygote.begin()  # that of the session again


def asked(function: str, copies: bool = True) -> object:
    with Bubblewrap(Limits(), copies=copies).open(SOLUTION) as worker:
        result = worker.call(function)
        assert result.ok, result
        return result.value


def test_copies_share_no_surprise_and_no_memory(running: zygote.Zygote) -> None:
    found = [asked("surprises") for _ in range(3)]
    assert isinstance(found[0], list)
    for generator in (0, 1):  # numpy's old one and Python's
        assert len({pair[generator] for pair in found if isinstance(pair, list)}) == 3
    assert [asked("remembers") for _ in range(2)] == [[1, 1], [1, 1]]


def test_a_copy_sees_what_a_fresh_process_sees(running: zygote.Zygote) -> None:
    copied, fresh = asked("seen"), asked("seen", copies=False)
    assert isinstance(copied, list)
    # scikit-learn sets two variables when it is imported.
    copied[1] = {k: v for k, v in copied[1].items() if not k.startswith("KMP_")}
    assert copied == fresh
    assert asked("packages") == ["awkward", "numpy", "sklearn"]
    assert asked("packages", copies=False) == ["awkward", "numpy"]


def test_a_copy_has_no_capability_and_no_way_back(running: zygote.Zygote) -> None:
    with Bubblewrap(Limits()).open(SOLUTION) as worker:
        (inside,) = worker._jail.members(32)
        status = Path(f"/proc/{inside}/status").read_text().splitlines()
    lines = dict(line.split(":\t") for line in status)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(lines[kind], 16) == 0, kind
    assert lines["NoNewPrivs"] == "1"
    assert lines["Seccomp"] == "2"


def test_all_namespaces_are_of_the_sandbox(running: zygote.Zygote) -> None:
    with Bubblewrap(Limits()).open(SOLUTION) as worker:
        (inside,) = worker._jail.members(32)
        for name in zygote.NAMESPACES:
            ours, theirs = (os.readlink(f"/proc/{who}/ns/{name}") for who in ("self", inside))
            assert ours != theirs, name


def test_without_the_zygote_a_fresh_process_is_started(running: zygote.Zygote) -> None:
    assert running.process is not None
    with Bubblewrap(Limits()).open(SOLUTION) as worker:  # its keeper does not listen in its place
        (inside,) = psutil.Process(running.process.pid).children()
        inside.kill()
        running.process.wait(timeout=10)
        assert worker.call("surprises").ok
        assert asked("packages") == ["awkward", "numpy"]
    assert asked("packages") == ["awkward", "numpy"]


def test_it_dies_with_the_process_that_began_it() -> None:
    program = "from executors.sandbox import zygote; zygote.begin(); z = zygote.current(); "
    program += "print(z.process.pid, flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    child.kill()
    child.communicate()
    end = Path(f"/proc/{pid}/stat")
    for _ in range(100):
        if not end.exists() or end.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        signal.sigtimedwait([], 0.1)
    pytest.fail(f"the zygote {pid} outlived the process that began it")
