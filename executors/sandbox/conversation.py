"""One question and one answer over the channel, while what is printed meanwhile is drained."""

from __future__ import annotations

import os
import select
import socket
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from executors.sandbox.base import Process
from executors.sandbox.inside import framing
from executors.sandbox.output import Output

POLL_S = 0.05
DYING_S = 0.3
"""A process that closes the channel by dying is seen to be dead within this time."""
READ = 1 << 16


@dataclass(frozen=True)
class Heard:
    """What came back."""

    answer: dict[str, Any] | None
    """None where there is none: it died, closed the channel, printed too much or took too long."""
    nonsense: str
    """Why what came is no answer, where something came."""
    output: Output


class Conversation:
    """The host's side of the channel to a process and of its stdout and stderr."""

    def __init__(self, process: Process, channel: socket.socket, most_output: int) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process, self._channel, self._most_output = process, channel, most_output
        self._stdout, self._stderr = process.stdout.fileno(), process.stderr.fileno()
        for fd in (channel.fileno(), self._stdout, self._stderr):
            os.set_blocking(fd, False)

    def ask(self, message: dict[str, Any] | None, over: Callable[[], bool]) -> Heard:
        """Send `message`, if there is one, and wait for an answer until `over` says so."""
        output = Output(self._most_output)
        sinks = {self._stdout: output.first, self._stderr: output.second}
        answer, nonsense = None, ""
        try:
            if message is not None:
                self._channel.sendall(framing.pack(message))
            answer = self._listen(sinks, lambda: output.over or over())
        except framing.FramingError as error:
            nonsense = str(error)
        except OSError:
            pass  # it does not listen any more: the absence of an answer says that
        if answer is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=DYING_S)
        for fd, sink in sinks.items():
            sink(_available(fd))
        return Heard(answer, nonsense, output)

    def _listen(
        self, sinks: Mapping[int, Callable[[bytes], None]], over: Callable[[], bool]
    ) -> dict[str, Any] | None:
        control, received = self._channel.fileno(), bytearray()
        poll = select.poll()
        for fd in (control, *sinks):
            poll.register(fd, select.POLLIN)
        while not over():
            # Looked at before the last data is read, so that none is missed.
            dead = self._process.poll() is not None
            ready = poll.poll(0 if dead else POLL_S * 1000)
            for fd, _ in ready:
                data = _available(fd)
                if fd != control:
                    sinks[fd](data)
                    if not data:
                        poll.unregister(fd)
                elif not data:
                    return None
                else:
                    received += data
                    if (answer := framing.unpack(received)) is not None:
                        return answer
            if dead and not ready:
                return None
        return None


def _available(fd: int) -> bytes:
    """What can be read from `fd` now; nothing at its end or where nothing waits."""
    try:
        return os.read(fd, READ)
    except (BlockingIOError, ConnectionError):
        return b""
