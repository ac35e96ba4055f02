"""The process of a server: started in a group of its own, and ended with everything below it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

GRACE_S = 20.0
"""Between SIGTERM and SIGKILL; vLLM frees its GPUs in this time."""
FAREWELL_S = 20.0
_GUARD = 'read -r _; kill -s KILL -- "-$0" 2>/dev/null'


class ServerProcess:
    """A running server; leaving its `with` block ends it, however the block is left.

    If the process that holds it is killed, a shell that waits for the end of a pipe ends the whole
    group: vLLM's engine outlives the sudden death of its server.
    `farewell` is a command that asks the server to end where SIGTERM to the group would not do.
    """

    def __init__(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        log: Path,
        grace_s: float,
        farewell: Sequence[str] = (),
    ) -> None:
        self.grace_s = grace_s
        self.farewell = list(farewell)
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                list(command),
                env=dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, str(self._child.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._child.poll()

    def end(self) -> None:
        """SIGTERM to the group, SIGKILL after the grace; comes back when nothing of it is left."""
        family = self._family()
        for number, patience in ((signal.SIGTERM, self.grace_s), (signal.SIGKILL, 10.0)):
            if number == signal.SIGKILL or not self._said_farewell():
                with suppress(ProcessLookupError):
                    os.killpg(self.pid, number)
            deadline = time.monotonic() + patience
            while self._alive(family) and time.monotonic() < deadline:
                self._child.poll()
                time.sleep(0.05)
            if number == signal.SIGTERM:
                continue
            for process in self._alive(family):  # those that left the group
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._child.wait()
        self._guard.kill()
        self._guard.communicate()

    def _said_farewell(self) -> bool:
        """Whether the server was asked to end by a command; False where SIGTERM has to do it."""
        if not self.farewell or self._child.poll() is not None:
            return False
        try:
            done = subprocess.run(self.farewell, stdin=subprocess.DEVNULL, timeout=FAREWELL_S)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def _family(self) -> list[psutil.Process]:
        """The process and all below it, as long as the tree is whole."""
        try:
            root = psutil.Process(self.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _alive(self, family: Sequence[psutil.Process]) -> list[psutil.Process]:
        """Those of `family` and of the group that still run."""
        alive = [process for process in family if _runs(process)]
        known = {process.pid for process in family}
        for process in psutil.process_iter():
            with suppress(psutil.Error, ProcessLookupError):
                if process.pid not in known and os.getpgid(process.pid) == self.pid:
                    alive += [process] if _runs(process) else []
        return alive


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
