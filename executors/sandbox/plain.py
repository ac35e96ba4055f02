"""The plain sandbox: a process of its own with limits, for where nothing better can be had.

It keeps accidents away, and what the filter of system calls can stop; it does not hide files.
Threads are counted by the kernel for an ordinary user, and by the watchdog alone for root.
"""

from __future__ import annotations

import functools
import os
import platform
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from executors.sandbox import inputs, interpreter, processes, worker
from executors.sandbox.base import (
    LAYERS,
    Availability,
    Limits,
    SandboxStartError,
    SandboxUnavailableError,
)
from executors.sandbox.inside import seccomp

MARK = "LADON_SANDBOX"
"""Environment variable that marks every process of one sandbox, wherever it went."""
ROUNDS, ROUND_S = 50, 0.02


class PlainJail:
    """A process in a session of its own, and everything that came from it."""

    def __init__(
        self, process: subprocess.Popen[bytes], mark: str, readonly: Mapping[str, Path]
    ) -> None:
        self.process, self.mark = process, mark
        self.inputs: Mapping[str, str] = {name: str(path) for name, path in readonly.items()}

    def members(self, most: int) -> list[int]:
        """The process and its descendants; not those that have left the family."""
        return [self.process.pid, *processes.descendants(self.process.pid, most)]

    def end(self) -> None:
        """Kill all, again and again until none is left: they may be starting others meanwhile."""
        family = {self.process.pid} if self.process.poll() is None else set()
        for _ in range(ROUNDS):
            family |= set(processes.with_mark(f"{MARK}={self.mark}"))
            # Stopped first, so that none can start another while its turn has not come.
            for what in (signal.SIGSTOP, signal.SIGKILL):
                for pid in family:
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, what)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=10)
            family = set(processes.with_mark(f"{MARK}={self.mark}"))
            if not family:
                return
            time.sleep(ROUND_S)


@dataclass(frozen=True)
class Plain:
    """See `base.Sandbox`. Only where nothing better is there: see `layers`."""

    limits: Limits = field(default_factory=Limits)
    name: str = "plain"

    def available(self) -> Availability:
        """On every Linux; elsewhere there are no memory files and no filter."""
        if sys.platform != "linux":
            return Availability(False, f"it needs Linux, found {sys.platform!r}")
        return Availability(True, f"Linux {platform.release()}")

    def layers(self) -> dict[str, bool]:
        """Not: the file system, other processes, and what is written altogether.

        The filter of system calls, where the processor has one, closes the network and denies
        new processes.
        """
        missing = dict.fromkeys(("filesystem", "pid", "disk"), False)
        filtered = dict.fromkeys(("network", "memory", "processes"), seccomp.supported())
        return dict.fromkeys(LAYERS, True) | missing | filtered

    def open(
        self, solution: Path | str, readonly: Mapping[str, Path] | None = None
    ) -> AbstractContextManager[worker.WarmWorker]:
        """A fresh worker with `solution` loaded; see `base.Sandbox.open`."""
        available, reason = self.available()
        if not available:
            raise SandboxUnavailableError(f"the plain sandbox cannot be used: {reason}")
        return self._open(inputs.source(solution), inputs.checked(readonly))

    @contextmanager
    def _open(self, code: bytes, readonly: Mapping[str, Path]) -> Iterator[worker.WarmWorker]:
        folder = Path(tempfile.mkdtemp(prefix="ladon-sandbox-"))
        try:
            start = functools.partial(launch, self.limits, code, readonly, folder)
            with worker.started(start, self.limits) as warm:
                yield warm
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def setup(limits: Limits, readonly: Mapping[str, Path], folder: Path) -> interpreter.Setup:
    """What the program inside is told."""
    python = interpreter.current()
    roots = [*python.libraries, *python.packages, python.standard, interpreter.PROGRAM, folder]
    system = ["/usr", "/lib", "/lib64"]
    return interpreter.Setup(
        limits=limits,
        tasks=interpreter.tasks(limits, processes.tasks_of_user(os.getuid())),
        uid=None,
        parent=os.getpid(),
        own_pid_namespace=False,
        new_processes=False,
        solution=str(folder / "solution.py"),
        packages=tuple(str(path) for path in python.packages),
        readable=tuple(str(path) for path in [*roots, *readonly.values(), *system]),
        writable=(str(folder / "work"),),
    )


def launch(
    limits: Limits,
    code: bytes,
    readonly: Mapping[str, Path],
    folder: Path,
    channels: worker.Channels,
) -> PlainJail:
    """Start the program inside `folder`, which is its own."""
    work = folder / "work"
    work.mkdir()
    (folder / "solution.py").write_bytes(code)
    shutil.copytree(
        interpreter.PROGRAM, folder / "inside", ignore=shutil.ignore_patterns("__pycache__")
    )
    mark = secrets.token_hex(16)
    variables = interpreter.environment(str(work), str(work)) | {
        "PYTHONPATH": str(folder),
        MARK: mark,
    }
    argument = setup(limits, readonly, folder).argument(channels.numbers())
    try:
        process = subprocess.Popen(
            [sys.executable, *interpreter.FLAGS, "-m", "inside", argument],
            env=variables,
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(channels.numbers().values()),
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxStartError(f"{sys.executable} did not start: {error}") from error
    return PlainJail(process, mark, readonly)
