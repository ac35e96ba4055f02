"""A running bubblewrap: how it is started, who is in it, how it is ended."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress

from executors.sandbox import bubblewrap_command as bwrap
from executors.sandbox import processes
from executors.sandbox.base import SandboxStartError

START_S = 30.0


class BubblewrapJail:
    """A running bwrap; its first process inside is the root of all others."""

    def __init__(self, process: subprocess.Popen[bytes], first: int, names: list[str]) -> None:
        self.process, self.first = process, first
        self.inputs: Mapping[str, str] = {name: f"/inputs/{name}" for name in names}

    def members(self, most: int) -> list[int]:
        """Processes in the PID namespace, without bubblewrap's own first one."""
        return processes.descendants(self.first, most)

    def end(self) -> None:
        """Kill the first process: the kernel kills its whole PID namespace with it."""
        # As long as bwrap lives it has not waited for its child, whose id is then still its own.
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.first, signal.SIGKILL)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(
    made: bwrap.Plan, code: bytes, arguments: tuple[str, ...], files: tuple[int, ...]
) -> BubblewrapJail:
    """Start bwrap with Python and `arguments` inside, which inherits the open `files`.

    SandboxStartError with what bwrap said.
    """
    code_fd = os.memfd_create("ladon-solution")
    info, info_fd = os.pipe()
    try:
        with open(code_fd, "wb", closefd=False) as file:
            file.write(code)
        os.lseek(code_fd, 0, os.SEEK_SET)
        process = subprocess.Popen(
            bwrap.command(made, code_fd, info_fd, arguments),
            executable=shutil.which("bwrap"),
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(code_fd, info_fd, *files),
            start_new_session=True,
        )
    except BaseException:
        os.close(info)
        raise
    finally:
        os.close(code_fd)
        os.close(info_fd)
    try:
        return BubblewrapJail(process, _first_process(info), list(made.readonly))
    except SandboxStartError as error:
        process.kill()
        _, said = process.communicate()
        raise SandboxStartError(f"{error}: {said.decode(errors='replace').strip()!r}") from None
    finally:
        os.close(info)


def _first_process(info: int) -> int:
    """The id that bwrap writes to `info` when the first process inside exists."""
    text = b""
    while select.select([info], [], [], START_S)[0]:
        data = os.read(info, 4096)
        text += data
        if not data:
            break
        with suppress(ValueError):
            return int(json.loads(text)["child-pid"])
    raise SandboxStartError(f"bubblewrap started no process, its record says {text!r}")
