"""What a sandbox is: the limits it sets, what a call in it comes back with, what it protects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, Protocol

Status = Literal[
    "ok",
    "exception",
    "timeout",
    "cpu",
    "memory",
    "killed",
    "violation",
    "output_limit",
    "protocol",
]
"""How a call ended: `ok`; the solution raised; it went over a limit (time, CPU, memory, printing);
its process ended by itself (`killed`); it tried what the sandbox forbids, number of processes and
disk space included (`violation`); it spoiled the channel to us (`protocol`)."""

LAYERS: Mapping[str, str] = {
    "network": "no connection to anything",
    "environment": "no environment variable of ours: no key, no token",
    "pid": "sees and signals no process of the host, and none of its own survives",
    "filesystem": "sees no file of the host but its inputs and the packages",
    "memory": "a limit on the memory of all its processes together",
    "cpu": "a limit on CPU time",
    "processes": "a limit on the number of processes",
    "file_size": "a limit on the size of each file",
    "disk": "a limit on everything it writes together",
}
"""The layers of protection, and what each means where it is there."""


class SandboxError(Exception):
    """Something is wrong with a sandbox itself: never the solution's fault."""


class SandboxUnavailableError(SandboxError, RuntimeError):
    """This kind of sandbox cannot be had on this machine."""


class SandboxStartError(SandboxError, ChildProcessError):
    """The process in the sandbox did not come up."""


class SandboxClosedError(SandboxError, ValueError):
    """A call was made on a worker that is not there any more."""


class Availability(NamedTuple):
    """Whether a sandbox works here, and why not (or which version of what it uses)."""

    available: bool
    reason: str


@dataclass(frozen=True)
class Limits:
    """What one solution may use. Time is per call, everything else at any moment."""

    cpu_s: float = 300.0
    """CPU seconds of one call, all processes together."""
    wall_s: float = 600.0
    """Seconds that one call may take."""
    memory_mb: int = 4096
    """Resident memory of all its processes, inputs and results included; a worker with its
    packages loaded takes about 250 MB of it."""
    processes: int = 32
    file_mb: int = 256
    """Size of each file that it writes."""
    output_kb: int = 1024
    """What one call may print, stdout and stderr together."""
    writable_mb: int = 256
    """Size of each of its two writable folders, which are gone when it is closed."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ValueError(f"limit {field.name} must be above zero, found {value!r}")


@dataclass(frozen=True)
class SandboxResult:
    """How one call ended, what it returned, and what it used."""

    status: Status
    value: Any = None
    """What the function returned, where `status` is `ok`; arrays are ours alone."""
    exit_code: int | None = None
    """Where the process has ended by itself."""
    signal: int | None = None
    """The signal that ended it, if it was one."""
    exception_type: str = ""
    message: str = ""
    traceback: str = ""
    """From the solution on; paths are relative to the packages' folder."""
    line: int | None = None
    """The last line of the solution that was reached before it raised."""
    stdout: str = ""
    """The end of what this call printed."""
    stderr: str = ""
    violations: tuple[str, ...] = ()
    """Attempts at what is forbidden that were stopped, also where the solution went on."""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    max_rss_mb: float = 0.0
    """Highest resident memory of its processes together since the worker started."""

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.status == "ok"


class Process(Protocol):
    """The part of `subprocess.Popen` that a worker's process needs."""

    @property
    def stdout(self) -> IO[bytes] | None: ...

    @property
    def stderr(self) -> IO[bytes] | None: ...

    def poll(self) -> int | None:
        """How it ended, as subprocess counts; None while it lives."""

    def wait(self, timeout: float | None = None) -> int:
        """The same, within `timeout` seconds; subprocess.TimeoutExpired."""


class Worker(Protocol):
    """A solution loaded in a process of its own, which stays warm between calls."""

    @property
    def loaded(self) -> SandboxResult:
        """How importing the solution ended; calls return the same where it did not end well."""

    @property
    def alive(self) -> bool:
        """False once a call ended with the death of the process: open another worker then."""

    @property
    def inputs(self) -> Mapping[str, str]:
        """Name -> path that the solution opens, for each read-only input."""

    def call(
        self, function: str, arguments: Sequence[Any] | Mapping[str, Any] = ()
    ) -> SandboxResult:
        """Call `function` of the solution with positional or named arguments.

        Arguments and results: None, bool, int, float, str, lists and dicts of them, numpy arrays
        (numbers, bool, strings), pandas tables (without index), awkward arrays (without behaviour);
        `{"__builtin__": "asimov_z"}` becomes that function inside, with attributes of its own from
        a mapping beside it under `"attributes"`. SandboxClosedError where the
        worker is not alive; UnsupportedValueError for an argument that cannot cross.
        """

    def read(self, name: str) -> SandboxResult:
        """The value of a plain name of the solution, such as BRANCHES."""


class Sandbox(Protocol):
    """A way to run code that we do not trust."""

    @property
    def name(self) -> str:
        """As settings call it."""

    def available(self) -> Availability:
        """Whether it works here: tried, not guessed; remembered for this process."""

    def layers(self) -> dict[str, bool]:
        """Which of LAYERS it provides on this machine."""

    def open(
        self, solution: Path | str, readonly: Mapping[str, Path] | None = None
    ) -> AbstractContextManager[Worker]:
        """A fresh worker with `solution` (a file, or its code) loaded, gone at the end of `with`.

        `readonly` maps names to files or folders that it may read. The worker dies with the
        thread that opened it. SandboxUnavailableError, SandboxStartError.
        """


def unprotected(sandbox: Sandbox) -> list[str]:
    """What `sandbox` does not protect from, as sentences for a person."""
    layers = sandbox.layers()
    return [f"{layer}: not ensured: {LAYERS[layer]}" for layer in LAYERS if not layers[layer]]
