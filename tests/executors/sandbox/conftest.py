"""Sandboxes with short limits, and a host whose traces are compared before and after."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from executors.sandbox import Apptainer, Bubblewrap, Limits, Plain, Sandbox, zygote
from tests import images

IN_IMAGE = [
    pytest.param(kind, marks=pytest.mark.apptainer)
    for kind in ("apptainer", "apptainer user namespace")
]
KINDS = ["bubblewrap", "zygote", "user namespace", *IN_IMAGE, "plain"]


@pytest.fixture(params=KINDS)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Each sandbox that there is, and two also as an ordinary user would have them."""
    return made(request.param, Limits(wall_s=20, cpu_s=20, memory_mb=1024))


def made(kind: str, limits: Limits) -> Sandbox:
    """A sandbox of that kind, or a skip that says what provides it."""
    sandbox: Sandbox
    if kind == "plain":
        sandbox = Plain(limits)
    elif kind.startswith("apptainer"):
        sandbox = Apptainer(limits, images.image("sandbox"), kind.endswith("user namespace"))
    else:
        if kind == "zygote" and not zygote.begin():
            pytest.skip("only root can join the namespaces of a sandbox")
        sandbox = Bubblewrap(limits, kind == "user namespace", copies=kind == "zygote")
    available, reason = sandbox.available()
    if not available:
        pytest.skip(f"{kind}: {reason}; make testbed provides it")
    return sandbox


@dataclass(frozen=True)
class Host:
    """What is on the host that no solution may see or change."""

    secret: str
    secret_file: Path
    input_file: Path
    temporary: Path
    mark: float
    """A number that stands in the command line of each sandbox of this test."""

    def left_over(self) -> list[str]:
        """Processes and files that were not there before."""
        shared = Path("/dev/shm").glob("*ladon*")
        found = [f"file {path}" for path in (*self.temporary.rglob("*"), *shared)]
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if str(self.mark) in line or str(30 * self.mark) in line:
                found.append(f"process {process.pid}: {line[-200:]}")
        return found


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A host with a secret in a file and in the environment, whose traces are checked."""
    secret = f"SECRET-{os.urandom(8).hex()}"
    for folder in ("home", "data", "tmp"):
        (tmp_path / folder).mkdir()
    (tmp_path / "home" / "key").write_text(secret)
    (tmp_path / "data" / "events.txt").write_text("the events")
    monkeypatch.setenv("LADON_TEST_KEY", secret)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    mark = 1 + int.from_bytes(os.urandom(5)) / 1e13
    here = Host(secret, tmp_path / "home" / "key", tmp_path / "data" / "events.txt",
                tmp_path / "tmp", mark)  # fmt: skip
    yield here
    assert here.left_over() == []
    assert here.input_file.read_text() == "the events"
    assert here.secret_file.read_text() == secret
