"""The host's end of a warm worker: start it, ask it, watch it, and take it away without a trace."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from executors import spent
from executors.sandbox import endings, processes
from executors.sandbox.base import (
    Limits,
    Process,
    SandboxClosedError,
    SandboxResult,
    SandboxStartError,
)
from executors.sandbox.conversation import Conversation, Heard
from executors.sandbox.inside import decoding, heap
from executors.sandbox.shared_memory import SharedMemory
from executors.sandbox.watchdog import Watchdog

START_S = 120.0
"""Packages on a cold network file system take a while; that is not the solution's time."""


class Jail(Protocol):
    """A started sandbox process and what its kind knows about it."""

    @property
    def process(self) -> Process: ...

    @property
    def inputs(self) -> Mapping[str, str]: ...

    def members(self, most: int) -> list[int]:
        """Ids of the processes in it, no more than `most` + 1."""

    def end(self) -> None:
        """Kill them all; returns when they are gone. May be called again."""


class WarmWorker:
    """See `base.Worker`; made by `started`."""

    def __init__(
        self, jail: Jail, channel: socket.socket, memory: SharedMemory, watchdog: Watchdog
    ) -> None:
        self._jail, self._memory, self._watchdog = jail, memory, watchdog
        self._conversation = Conversation(jail.process, channel, watchdog.limits.output_kb * 1024)
        self._calls = 0
        self.alive = True
        self.loaded = SandboxResult("protocol", message="the solution is not loaded yet")

    @property
    def inputs(self) -> Mapping[str, str]:
        """Name -> path that the solution opens, for each read-only input."""
        return self._jail.inputs

    def load(self) -> None:
        """Wait until the packages are there, then import the solution; SandboxStartError."""
        start = time.monotonic()
        heard = self._conversation.ask(None, lambda: time.monotonic() - start > START_S)
        if heard.answer != {"ready": True}:
            code = self._end()
            raise SandboxStartError(
                f"the sandbox did not start within {START_S:g} s: exit code {code}, it said "
                f"{heard.output.stderr[-800:]!r}; run `ladon doctor` to see what is missing"
            )
        processes.give_up_first(self._jail.members(self._watchdog.limits.processes))
        self.loaded = self._ask({"do": "load"})

    def call(
        self, function: str, arguments: Sequence[Any] | Mapping[str, Any] = ()
    ) -> SandboxResult:
        """Call `function` of the solution; see `base.Worker`."""
        named = isinstance(arguments, Mapping)
        content = [[], dict(arguments)] if named else [list(arguments), {}]
        return self._request({"do": "call", "name": function}, content)

    def read(self, name: str) -> SandboxResult:
        """The value of a plain name of the solution."""
        return self._request({"do": "read", "name": name}, None)

    def _request(self, message: dict[str, Any], content: Any) -> SandboxResult:
        if not self.loaded.ok:
            return self.loaded
        if not self.alive:
            raise SandboxClosedError(
                f"cannot {message['do']} {message['name']!r}: the worker's process is gone after "
                "an earlier call; open another worker for the same solution"
            )
        if content is not None:
            place = message["arguments"] = self._memory.put(content)
            if sum(place) >= heap.BIG:
                heap.give_back()  # what the arguments were made of, before the worker needs memory
        return self._ask(message)

    def _ask(self, message: dict[str, Any]) -> SandboxResult:
        self._calls += 1
        message["id"] = self._calls
        self._watchdog.begin()
        start = time.monotonic()
        heard = self._conversation.ask(message, lambda: self._watchdog.verdict is not None)
        wall = time.monotonic() - start
        cpu = self._watchdog.finish()
        spent.add(cpu)
        result, verdict = self._judge(heard), self._watchdog.verdict
        if verdict is not None and result.ok:  # it answered while the watchdog ended it
            result = SandboxResult(verdict.status, message=verdict.message)
        if result.status in endings.FATAL or verdict is not None:
            self._end()
        return replace(
            result,
            stdout=heard.output.stdout,
            stderr=heard.output.stderr,
            wall_s=wall,
            cpu_s=cpu,
            max_rss_mb=self._watchdog.max_rss_mb,
        )

    def _judge(self, heard: Heard) -> SandboxResult:
        """What the answer, or its absence, means."""
        if heard.answer is not None:
            return self._value(heard.answer)
        verdict = self._watchdog.verdict
        if verdict is not None:
            return SandboxResult(verdict.status, message=verdict.message)
        if heard.output.over:
            text = f"printed more than the limit of {heard.output.limit} bytes"
            return SandboxResult("output_limit", message=text)
        if heard.nonsense:
            return endings.protocol(heard.nonsense)
        code = self._jail.process.poll()
        if code is None:
            return endings.protocol("the channel was closed while the process went on")
        return endings.ended(code)

    def _value(self, answer: dict[str, Any]) -> SandboxResult:
        if answer.get("id") != self._calls:
            return endings.protocol(f"an answer to call {answer.get('id')!r:.80}")
        if "result" not in answer:
            return endings.reported(answer)
        try:
            value = self._memory.take(answer["result"])
        except decoding.DecodeError as error:
            return endings.protocol(str(error))
        return SandboxResult("ok", value=value, violations=endings.attempts(answer))

    def _end(self) -> int | None:
        self.alive = False
        self._jail.end()
        return self._jail.process.poll()


@dataclass(frozen=True)
class Channels:
    """Open files that the process in the sandbox inherits."""

    control: int
    input: int
    output: int

    def numbers(self) -> dict[str, int]:
        """By the names that the program inside knows."""
        return {"control": self.control, "input": self.input, "output": self.output}


@contextlib.contextmanager
def started(launch: Callable[[Channels], Jail], limits: Limits) -> Iterator[WarmWorker]:
    """A worker in the jail that `launch` starts; at the end nothing of it is left."""
    ours, theirs = socket.socketpair()
    with ours, SharedMemory(limits.memory_mb) as memory:
        with theirs:
            jail = launch(
                Channels(theirs.fileno(), memory.input_for_worker, memory.output_for_worker)
            )
        watchdog = Watchdog(jail.members, jail.end, limits)
        worker = WarmWorker(jail, ours, memory, watchdog)
        try:
            watchdog.start()
            worker.load()
            yield worker
        finally:
            worker.alive = False
            watchdog.stop()
            jail.end()
            for stream in (jail.process.stdout, jail.process.stderr):
                if stream is not None:
                    stream.close()
