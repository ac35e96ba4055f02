"""The frozen solution, asked again: each question loads the module afresh and keeps its inputs."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from pipeline.judge.verdict import GuardCheck
from pipeline.stages.solution import load_solution


@dataclass(frozen=True)
class Answer:
    """What a solution returned for changed inputs, accepted by its contract; or why it did not."""

    product: Any = None
    error: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.error)

    def guard(self, question: str) -> GuardCheck:
        """The guard that this question was answered at all."""
        said = self.error if self.failed else "an answer"
        return GuardCheck(f"answers: {question}", not self.failed, "an answer", said)


class AskedContract(Protocol):
    """The part of a stage's contract that asking needs."""

    @property
    def defines(self) -> Mapping[str, tuple[str, ...] | None]: ...

    def call(self, solution: ModuleType, arguments: Mapping[str, Any]) -> Any: ...

    def accept(self, result: Any, arguments: Mapping[str, Any]) -> Any: ...


class Solution(Protocol):
    """Whatever answers changed inputs as the frozen solution would."""

    def ask(self, arguments: Mapping[str, Any]) -> Answer:
        """The accepted product for these arguments, or the error that the solution raised."""


@dataclass(frozen=True)
class FrozenSolution:
    """A solution file together with its contract.

    The module is loaded anew for each question, so that nothing it remembers from one helps with
    the next, and it gets deep copies, so that it cannot change what we compare with.
    """

    path: Path
    contract: AskedContract

    def ask(self, arguments: Mapping[str, Any]) -> Answer:
        given = copy.deepcopy(dict(arguments))
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                module = load_solution(self.path, self.contract.defines)
                result = self.contract.call(module, given)
                product = self.contract.accept(result, arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (the boundary: a fault is data)
            cause = error.__cause__ or error
            return Answer(error=f"{type(cause).__name__}: {cause}")
        return Answer(product)
