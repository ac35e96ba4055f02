"""A chain of stages, a host whose traces are compared, and a model that says one thing."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from agents.chat import Call, Message, Reply
from executors.sandbox import Bubblewrap, Limits
from tests.agents.bench import instructs, reviews
from tests.hostile.chain import MARK, Chain


@dataclass
class StubbornModel:
    """A scripted model: the coder writes one module whatever it is told, and all is accepted."""

    code: str
    prompts: list[str] = field(default_factory=list)

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"name": "stubborn", "revision": None, "sampling": {}, "scripted": True}

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        seed: int,
        call: Call | None = None,
    ) -> Reply:
        assert call is not None
        self.prompts += [message.content for message in messages]
        answers = {"coder": f"```python\n{self.code}\n```", "supervisor": reviews("accept", "good")}
        text = instructs("be good") if call.number == 1 else answers[call.role]
        return Reply(text=text, finish_reason="stop", model="stubborn", sampling={"seed": seed})


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """The small synthetic analysis, with the reference's outputs."""
    available, reason = Bubblewrap(Limits()).available()
    if not available:
        pytest.skip(f"bubblewrap: {reason}; apt-get install bubblewrap provides it")
    return Chain.make(tmp_path_factory.mktemp("hostile"))


@dataclass(frozen=True)
class Host:
    """What no solution may see or change, and what there was before."""

    secret: str
    secret_file: Path
    canary: Path
    temporary: Path
    children: frozenset[int]

    def left_over(self) -> list[str]:
        """Processes of this session's sandboxes or below this one, and temporary files."""
        found = [f"file {path}" for path in self.temporary.rglob("*")]
        found += [f"file {path}" for path in Path("/dev/shm").glob("*ladon*")]
        for process in psutil.process_iter(["pid", "cmdline"]):
            line = " ".join(process.info["cmdline"] or ())
            if str(MARK) in line:
                found.append(f"process {process.pid}: {line[-200:]}")
        mine = {child.pid for child in psutil.Process().children(recursive=True)}
        return found + [f"child {pid}" for pid in sorted(mine - self.children)]

    def left_for_good(self) -> list[str]:
        """What is still left over when what a sandbox has let go has had its time to end.

        The zygote's child that sent a worker ends a moment after the worker's end was told.
        """
        until = time.monotonic() + 10
        while (found := self.left_over()) and time.monotonic() < until:
            time.sleep(0.05)
        return found


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A host with a secret in a file and in the environment, whose traces are checked."""
    secret = f"SECRET-{os.urandom(8).hex()}"
    for folder in ("home", "tmp"):
        (tmp_path / folder).mkdir()
    key, canary = tmp_path / "home" / "key", tmp_path / "home" / "canary"
    key.write_text(secret)
    key.chmod(0o600)
    canary.write_text("alive")
    monkeypatch.setenv("LADON_TEST_KEY", secret)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    children = frozenset(child.pid for child in psutil.Process().children(recursive=True))
    here = Host(secret, key, canary, tmp_path / "tmp", children)
    yield here
    assert here.left_for_good() == []
    assert canary.read_text() == "alive"
    assert key.read_text() == secret
