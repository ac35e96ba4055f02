"""A solution behind a wall: it looks like its module, and whatever is called runs in a sandbox."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any, Self, cast

from executors.sandbox import Limits, Sandbox, SandboxResult, Worker, named
from pipeline.physics.significance import SignificanceRule
from pipeline.settings import Settings
from pipeline.stages.contract import COLUMNS, ContractError
from pipeline.stages.solution import SolutionLoadError, load_solution
from pipeline.stages.source import Definitions, check_definitions, parsed, with_optional

ENDINGS: Mapping[str, str] = {
    "timeout": "TimeLimitError",
    "cpu": "CpuLimitError",
    "memory": "MemoryLimitError",
    "killed": "ProcessDiedError",
    "violation": "SandboxViolationError",
    "output_limit": "OutputLimitError",
    "protocol": "ProtocolError",
}
"""What each status of a sandboxed call, but `ok` and `exception`, is called in a record."""


class SolutionFault(ContractError):  # noqa: N818 - an instance has a name of its own
    """A solution raised, or was ended; the class of an instance has the name of what it raised."""

    def __init__(self, said: str, result: SandboxResult) -> None:
        super().__init__(said)
        self.result = result

    @classmethod
    def of(cls, result: SandboxResult) -> SolutionFault:
        """The fault that a call which did not end well amounts to."""
        kind = ENDINGS.get(result.status, result.exception_type or "Exception")
        ours = kind in ENDINGS.values() or kind == "ContractError"
        if result.status == "exception" and (ours or not kind.isidentifier()):
            kind = "Exception"  # a solution does not choose how our own endings look
        made: type[SolutionFault] = type(kind, (cls,), {})
        return made(f"{kind}: {result.message or _ending(result)}", result)


def signal_name(result: SandboxResult) -> str:
    """Name of the signal that ended a call, or its number where it has none; empty if none did."""
    if result.signal is None:
        return ""
    try:
        return signal.Signals(result.signal).name
    except ValueError:  # most of the real-time signals have no name
        return f"signal {result.signal}"


def _ending(result: SandboxResult) -> str:
    """How a process ended that said nothing."""
    if ended := signal_name(result):
        return f"the process was ended by {ended}"
    return f"the process ended with exit code {result.exit_code}"


Heard = Callable[[SandboxResult], None]


def unheard(result: SandboxResult) -> None:
    """For those who want only the values."""


class JailedModule:
    """The names that a contract asks for, each of which reads or calls the sandboxed solution."""

    def __init__(
        self, worker: Worker, defines: Definitions, files: Mapping[str, str], heard: Heard
    ) -> None:
        self._worker, self._defines, self._files, self._heard = worker, defines, files, heard
        self._plain: dict[str, Any] = {}

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._worker.alive

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._defines:
            raise AttributeError(name)
        if self._defines[name] is not None:
            return self._function(name)
        if name not in self._plain:
            self._plain[name] = self._value(self._worker.read(name))
        return self._plain[name]

    def _function(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            given = [self._crossing(argument) for argument in arguments]
            return self._value(self._worker.call(name, given))

        return call

    def _value(self, result: SandboxResult) -> Any:
        self._heard(result)
        if not result.ok:
            raise SolutionFault.of(result)
        return result.value

    def _crossing(self, argument: Any) -> Any:
        """An argument as it goes through the wall: paths as they are inside, rules rebuilt."""
        if isinstance(argument, SignificanceRule):
            return {"__builtin__": "asimov_z", "attributes": asdict(argument)}
        if isinstance(argument, str):
            return self._files.get(argument, argument)
        return argument


class OpenModule:
    """The same names of a solution that runs in this process: ours, or one without a wall."""

    alive = True

    def __init__(self, module: ModuleType, defines: Definitions) -> None:
        self._module, self._defines = module, defines

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in (*self._defines, COLUMNS):
            raise AttributeError(name)
        found = getattr(self._module, name)
        return found if self._defines.get(name) is None else self._guarded(found)

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except (Exception, SystemExit) as error:  # whatever a solution raises is its result
                raise SolutionFault.of(self._result(error)) from error

        return call

    def _result(self, error: BaseException) -> SandboxResult:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == self._module.__file__]
        return SandboxResult(
            "exception",
            exception_type=type(error).__name__,
            message=str(error),
            traceback="".join(traceback.format_exception(error)),
            line=lines[-1] if lines else None,
        )


class Jail:
    """How the solutions of some settings are run: in a sandbox, or (ours) in this process."""

    def __init__(self, sandbox: Sandbox | None) -> None:
        self.sandbox = sandbox

    @classmethod
    def of(cls, settings: Settings, trial: bool = False) -> Self:
        """The sandbox that the settings ask for; none for our own solutions, which we trust.

        With `trial` a call has the shorter time that is enough for a slice. Raises
        SandboxUnavailableError where the kind asked for does not work on this machine.
        """
        site = settings.site
        if settings.solver.name == "reference" or site.sandbox == "none":
            return cls(None)
        limits = asdict(site.limits)
        most = limits.pop("trial_s")
        if trial:
            limits |= {name: min(limits[name], most) for name in ("cpu_s", "wall_s")}
        image = None if site.sandbox_image is None else Path(site.sandbox_image)
        return cls(named(site.sandbox, Limits(**limits), image))

    @contextlib.contextmanager
    def opened(
        self,
        solution: Path | str,
        defines: Definitions,
        arguments: Mapping[str, Any] | None = None,
        heard: Heard = unheard,
    ) -> Iterator[ModuleType]:
        """The solution (a file, or its code), loaded afresh, with the names of `defines`.

        Files that `arguments` names under `paths` (inspect) can be read by it. `heard` is given
        what importing it, and each call, came back with from a sandbox. Raises
        SolutionLoadError where it cannot be imported, ContractError where a name is missing.
        """
        if self.sandbox is None:
            with _as_file(solution) as path:
                yield cast(ModuleType, OpenModule(load_solution(path, defines), defines))
            return
        code = solution.read_text("utf-8") if isinstance(solution, Path) else solution
        tree = parsed(code)
        check_definitions(tree, defines)
        defines = with_optional(tree, defines)
        paths = dict((arguments or {}).get("paths", {}))
        readonly = {f"{name}.root": Path(path) for name, path in sorted(paths.items())}
        with self.sandbox.open(code, readonly) as worker:
            heard(worker.loaded)
            if not worker.loaded.ok:
                raise _cannot_load(worker.loaded)
            files = {str(path): worker.inputs[name] for name, path in readonly.items()}
            yield cast(ModuleType, JailedModule(worker, defines, files, heard))


TRUSTED = Jail(None)
"""For our own solutions."""


@contextlib.contextmanager
def _as_file(solution: Path | str) -> Iterator[Path]:
    if isinstance(solution, Path):
        yield solution
        return
    with tempfile.TemporaryDirectory(prefix="ladon-solution-") as folder:
        path = Path(folder) / "solution.py"
        path.write_text(solution, encoding="utf-8")
        yield path


class JailedLoadError(SolutionLoadError):
    """A solution cannot be imported in its sandbox."""

    def __init__(self, said: str, result: SandboxResult) -> None:
        super().__init__(said)
        self.result = result


def _cannot_load(result: SandboxResult) -> Exception:
    """The error of a solution whose import ended badly: its own, or the sandbox's verdict."""
    if result.status != "exception":
        return SolutionFault.of(result)
    return JailedLoadError(
        f"the solution cannot be imported: {result.exception_type}: {result.message}", result
    )
