"""The bench: a candidate is read, run in its sandbox on slices of the inputs, and validated."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from agents.errors import WorkbenchError
from agents.evidence import Evidence, Finding, HintViolation
from agents.slots import EndpointSlots
from executors.sandbox import SandboxError, SandboxResult
from pipeline.judge.classification import Evidence as Fault
from pipeline.judge.classification import classify_findings, classify_solution
from pipeline.settings import Settings
from pipeline.stages.contract import Contract, ContractError, StageContext, ask_solution
from pipeline.stages.jail import Jail, signal_name
from pipeline.stages.registry import contract_module, trial_of
from pipeline.stages.source import check_definitions, parsed
from pipeline.stages.trial import Slice, StageHint, Trial


@dataclass
class StageBench:
    """Where candidates of one stage are tried; see `agents.task.Workbench`.

    Everything it says is the same for the same candidate and inputs, on any machine: evidence
    becomes part of prompts.
    """

    stage: str
    context: StageContext
    jail: Jail
    turns: EndpointSlots | None = None
    """Lets no more candidates be tried at a time than this machine has cores for."""
    _slices: list[Slice] = field(default_factory=list)

    @property
    def contract(self) -> Contract:
        contract: Contract = contract_module(self.stage).CONTRACT
        return contract

    @property
    def trial(self) -> Trial:
        return trial_of(self.stage)

    def try_solution(self, code: str) -> Evidence:
        """What trying `code` showed; WorkbenchError if the sandbox or the data cannot be had."""
        try:
            tree = parsed(code)
        except ContractError as error:
            return self._fault(error, ())
        violations = broken_in_code(self.trial.hints(self._settings), tree)
        try:
            check_definitions(tree, self.contract.defines)
        except ContractError as error:
            return self._fault(error, violations)
        with self.turns.hold() if self.turns is not None else nullcontext():
            return self._tried(code, violations)

    @property
    def _settings(self) -> Settings:
        return self.context.settings

    def _tried(self, code: str, violations: tuple[HintViolation, ...]) -> Evidence:
        """Run it on every slice, until one of them goes wrong."""
        findings: list[Finding] = []
        results: list[SandboxResult] = []
        paths: dict[str, str] = {}
        for given in self.slices():
            paths |= given.arguments.get("paths", {})
        asked = {"paths": paths}
        try:
            with self.jail.opened(code, self.contract.defines, asked, results.append) as solution:
                for given in self.slices():
                    product = ask_solution(self.contract, solution, given.arguments)
                    here = self.trial.findings(given, product, self.context)
                    findings += [replace(f, name=f"{given.name}: {f.name}") for f in here]
                    violations += broken_in_run(self.trial.hints(self._settings), given, product)
                    if any(not f.passed for f in here):
                        break
        except ContractError as error:
            return self._fault(error, violations + attempted(results), tuple(findings))
        except SandboxError as error:
            raise WorkbenchError(str(error), "infrastructure") from error
        failed = [f for f in findings if not f.passed]
        found = classify_findings(self.stage, failed) if failed else None
        return Evidence(
            ok=not failed,
            stdout="".join(result.stdout for result in results),
            stderr="".join(result.stderr for result in results),
            findings=tuple(findings),
            hint_violations=once(violations + attempted(results)),
            category=found.category if found else None,
            attribution="model" if found else None,
        )

    def slices(self) -> Iterator[Slice]:
        """The slices, made when they are needed first; WorkbenchError if the data give none."""
        if not self._slices:
            try:
                self._slices = list(self.trial.slices(self.context))
            except (OSError, LookupError, ValueError) as error:
                raise WorkbenchError(
                    f"expected inputs to try solutions of {self.stage} on, found none: {error}",
                    "data",
                ) from error
        yield from self._slices

    def _fault(
        self,
        error: ContractError,
        violations: tuple[HintViolation, ...],
        findings: tuple[Finding, ...] = (),
    ) -> Evidence:
        """The evidence of a candidate that did not come to an accepted product."""
        result: SandboxResult | None = getattr(error, "result", None)
        kind = type(error).__name__
        message = str(error).removeprefix(f"{kind}: ")
        found = classify_solution(Fault(kind, message, self.stage))
        return Evidence(
            ok=False,
            stdout=result.stdout if result else "",
            stderr=result.stderr if result else "",
            exception=kind,
            message=message,
            line=result.line if result else None,
            exit_code=result.exit_code if result else None,
            signal=signal_name(result) if result else "",
            findings=findings,
            hint_violations=once(violations),
            category=found.category,
            attribution="model",
        )


def broken_in_code(hints: tuple[StageHint, ...], tree: ast.Module) -> tuple[HintViolation, ...]:
    """The hints that a module's syntax tree breaks."""
    said = [(hint.id, hint.in_code(tree)) for hint in hints if hint.in_code is not None]
    return tuple(HintViolation(name, detail) for name, detail in said if detail)


def broken_in_run(
    hints: tuple[StageHint, ...], given: Slice, product: Any
) -> tuple[HintViolation, ...]:
    """The hints that a product breaks."""
    said = [
        (hint.id, hint.in_run(given.arguments, product))
        for hint in hints
        if hint.in_run is not None
    ]
    return tuple(HintViolation(name, detail) for name, detail in said if detail)


def attempted(results: Iterable[SandboxResult]) -> tuple[HintViolation, ...]:
    """What the sandbox stopped, also where the solution went on: seen and counted, like a hint."""
    said = "; ".join(dict.fromkeys(said for result in results for said in result.violations))
    return (HintViolation("sandbox", said),) if said else ()


def once(violations: tuple[HintViolation, ...]) -> tuple[HintViolation, ...]:
    """Each hint once, however many slices broke it."""
    found: Mapping[str, HintViolation] = {v.hint: v for v in reversed(violations)}
    return tuple(found[name] for name in sorted(found))
