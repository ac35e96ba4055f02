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

from pipeline.judge.request import JudgeRequest
from pipeline.judge.verdict import GuardCheck
from pipeline.stages.contract import ContractError, ask_solution
from pipeline.stages.jail import TRUSTED, Jail


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
    jail: Jail = TRUSTED

    @classmethod
    def of(cls, request: JudgeRequest, contract: AskedContract) -> FrozenSolution:
        """The solution that is judged, run as its settings say."""
        if request.solution_path is None:
            raise TypeError(f"expected a solution of {request.stage} to ask again, found none")
        jail = TRUSTED if request.is_reference else Jail.of(request.settings)
        return cls(request.solution_path, contract, jail)

    def ask(self, arguments: Mapping[str, Any]) -> Answer:
        """See Solution; SandboxError where the sandbox itself does not work."""
        given = copy.deepcopy(dict(arguments))
        try:
            with (
                contextlib.redirect_stdout(io.StringIO()),
                self.jail.opened(self.path, self.contract.defines, arguments) as module,
            ):
                return Answer(ask_solution(self.contract, module, given, arguments))
        except ContractError as error:
            kind = type(error).__name__
            said = str(error)
            return Answer(error=said if said.startswith(f"{kind}: ") else f"{kind}: {said}")
