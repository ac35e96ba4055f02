"""The real command, as tests give it, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

SMALL_DATA = ("data.luminosity=1.5", "data.chunk_size=5000")
"""A synthetic data set of about 10,000 selected events: a run takes a minute, not three."""
SMALL = (*SMALL_DATA, "solver=reference")
"""The same with our own solutions."""


@dataclass(frozen=True)
class Ladon:
    """The `ladon` command with a working directory."""

    folder: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LADON_")}
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __call__(self, *arguments: str) -> str:
        """Run to the end; fail with what was printed unless the exit code is 0."""
        child = self.start(*arguments)
        text, _ = child.communicate()
        assert child.returncode == 0, text
        return text

    def killed_after(self, seconds: float, *arguments: str) -> None:
        """SIGKILL to the command alone after a while; fail if anything of it goes on."""
        child = self.start(*arguments)
        time.sleep(seconds)
        family = psutil.Process(child.pid).children(recursive=True)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive, f"left over: {alive}"

    def results(self, run: str) -> dict[str, Any]:
        path = self.folder / "outputs" / run / "points" / "main" / "results.json"
        content: dict[str, Any] = json.loads(path.read_text())
        return content
