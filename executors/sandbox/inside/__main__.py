"""The warm worker: limits first, packages next, then the solution, then call after call.

It speaks on a channel of its own, so that what a solution prints spoils nothing; values lie in two
pieces of shared memory, one that it reads and one that it writes.
"""

from __future__ import annotations

import contextlib
import json
import linecache
import mmap
import os
import sys
import types
from typing import Any

from . import limits, zygote

EXIT_CHANNEL = 70
"""Exit code that says: the channel to the host was spoiled."""
SOLUTION = "/solution/solution.py"
"""What tracebacks call the solution, wherever its file lies."""
MOST_OPEN_FILES = 65536


def main(argument: str) -> None:
    """Set up as the JSON `argument` of the host says, then serve until the channel closes."""
    setup = json.loads(argument)
    if "zygote" in setup:
        sys.path.extend(setup["packages"])
        zygote.serve(setup["zygote"], begin)
    else:
        begin(setup)


def begin(setup: dict[str, Any]) -> None:
    """The worker: limits first, then the packages, then what the host asks."""
    if setup["parent"] is not None:
        limits.die_with(setup["parent"])
    keep = sorted({0, 1, 2, setup["control"], setup["input"], setup["output"]})
    for low, high in zip(keep, [*keep[1:], MOST_OPEN_FILES], strict=True):
        os.closerange(low + 1, high)
    if setup["uid"] is not None:
        limits.drop_privileges(setup["uid"])
    limits.apply(setup["limits"], setup["tasks"])
    sys.path.extend(folder for folder in setup["packages"] if folder not in sys.path)
    Service(setup).serve()


class Service:
    """One solution, loaded once, and the functions in it."""

    def __init__(self, setup: dict[str, Any]) -> None:
        # Imported here: the packages are found only now, and loaded under the limits.
        from . import audit, decoding, encoding, formulas, framing, heap, report, seccomp

        self.decoding, self.encoding, self.framing = decoding, encoding, framing
        self.heap = heap
        self.report, self.builtins = report, formulas.BUILTINS
        self.setup, self.pid = setup, os.getpid()
        self.channel = setup["control"]
        self.given: mmap.mmap | None = None
        self.output = mmap.mmap(setup["output"], os.fstat(setup["output"]).st_size)
        self.folders = [*setup["packages"], os.path.dirname(os.__file__)]
        self.module = types.ModuleType("solution")
        self.rules = audit.Rules(setup["readable"], setup["writable"])
        if seccomp.supported():
            own = None if setup["own_pid_namespace"] else self.pid
            seccomp.install(own, setup["new_processes"])
        self.rules.install()

    def serve(self) -> None:
        """Answer until the host closes the channel, or somebody else does."""
        self.send({"ready": True})
        while (message := self.receive()) is not None:
            self.rules.attempts.clear()
            limits.allow_cpu(self.setup["limits"]["cpu_s"])
            answer = self.outcome(message)
            crossed = self.let_go() + sum(answer.get("result", ()))
            if crossed >= self.heap.BIG:
                self.heap.give_back()
            answer |= {"id": message["id"], "violations": self.rules.attempts}
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError, AttributeError):
                    stream.flush()
            self.send(answer)

    def receive(self) -> dict[str, Any] | None:
        try:
            return self.framing.receive(self.channel)
        except (OSError, ValueError):
            os._exit(EXIT_CHANNEL)

    def send(self, message: dict[str, Any]) -> None:
        try:
            self.framing.send(self.channel, message)
        except OSError:
            os._exit(EXIT_CHANNEL)

    def outcome(self, message: dict[str, Any]) -> dict[str, Any]:
        """Do what `message` asks; here, and only here, an error of the solution becomes data."""
        error: BaseException | None = None
        try:
            encoded = self.encoding.encode(self.perform(message), from_host=False)
        except BaseException as caught:  # noqa: BLE001  (also SystemExit: nothing may get out)
            error = caught
        if os.getpid() != self.pid:
            # A child that the solution forked came back here: it has nothing to say.
            os._exit(0)
        if error is None and encoded.size > len(self.output):
            error = MemoryError(f"a result of {encoded.size} bytes is over the memory limit")
        if error is not None:
            answer = self.report.describe(error, SOLUTION, self.folders)
            if isinstance(error, self.encoding.UnsupportedValueError):
                answer["type"] = "ReturnTypeError"
            return {"error": answer}
        with memoryview(self.output) as memory:
            return {"result": self.encoding.write(encoded, memory)}

    def perform(self, message: dict[str, Any]) -> Any:
        """What the solution gives for one message: whatever it raises goes through."""
        if message["do"] == "load":
            return self.load()
        if not hasattr(self.module, message["name"]):
            raise NameError(f"name {message['name']!r} is not defined in the solution")
        found: Any = getattr(self.module, message["name"])
        if message["do"] == "read":
            return found
        positional, named = self.arguments(*message["arguments"])
        return found(*positional, **named)

    def load(self) -> None:
        """Import the solution, under the name `solution`."""
        path = self.setup["solution"]
        with open(path, encoding="utf-8") as file:
            source = file.read()
        linecache.cache[SOLUTION] = (len(source), None, source.splitlines(True), SOLUTION)
        self.module.__file__ = path
        sys.modules["solution"] = self.module
        exec(compile(source, SOLUTION, "exec", dont_inherit=True), self.module.__dict__)

    def arguments(self, start: int, size: int) -> Any:
        """The arguments, where they lie in the shared memory; what is changed is the worker's own.

        Nothing is copied, so `let_go` must be called before the host hears of the call's end.
        """
        self.given = mmap.mmap(self.setup["input"], start + size, access=mmap.ACCESS_COPY)
        return self.decoding.decode(memoryview(self.given), start, size, False, self.builtins)

    def let_go(self) -> int:
        """Give back the memory of the arguments, which the host fills anew; its size in bytes.

        Where the solution still holds a part of them, all of it becomes the worker's own first:
        to write to a page of the mapping copies it.
        """
        given, self.given = self.given, None
        if given is None:
            return 0
        size = len(given)
        try:
            given.close()
        except BufferError:
            pages = self.decoding.flat(memoryview(given))[:: mmap.PAGESIZE]
            pages |= 0
        return size


if __name__ == "__main__":
    main(sys.argv.pop())
