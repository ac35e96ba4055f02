"""What a contract is: names to define, arguments to give, results to accept and keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from pipeline.settings import Settings


class ContractError(ValueError):
    """A solution does not define, take or return what its contract says."""


@dataclass(frozen=True)
class StageContext:
    """Where one execution of a stage gets its inputs from and puts its results.

    `upstream` maps a stage that came before to the folder that holds its `output/` and `sealed/`.
    With `sealed` true the blinded rows are read too; such a pass is never shown to a solver.
    """

    settings: Settings
    fileset: Mapping[str, Any]
    upstream: Mapping[str, Path]
    sealed: bool = False
    stored: bool = False
    """Large tables stay in their files, and are read where they are needed: for the step that runs
    a solution over all events. Otherwise arguments are in memory, to be cut and changed."""

    def folder(self, stage: str) -> Path:
        """The folder of `stage`'s files that this pass may read."""
        base = self.upstream[stage]
        return base / ("sealed" if self.sealed else "output")


COLUMNS = "COLUMNS"
"""A plain value that a solution may define: the columns that it wants, where a contract asks."""


def declared_columns(solution: ModuleType) -> list[str] | None:
    """The COLUMNS of a solution; None where it has none, ContractError if they are no names."""
    found = getattr(solution, COLUMNS, None)
    if found is None:
        return None
    if not isinstance(found, list | tuple) or not all(isinstance(name, str) for name in found):
        raise ContractError(f"expected {COLUMNS} to be a list of names, found {found!r:.200}")
    return list(dict.fromkeys(found))


class Contract(Protocol):
    """The interface that each `pipeline/stages/<stage>/contract.py` exports as `CONTRACT`."""

    stage: str
    defines: Mapping[str, tuple[str, ...] | None]
    """Name -> positional argument names of the function, or None for a plain value."""

    def arguments(self, context: StageContext) -> dict[str, Any]:
        """Read the inputs: what the solution's function gets, by argument name (trusted)."""

    def call(self, solution: ModuleType, arguments: Mapping[str, Any]) -> Any:
        """Call the solution (untrusted); nothing else happens here."""

    def accept(self, result: Any, arguments: Mapping[str, Any]) -> Any:
        """Check and normalise what came back; ContractError says what is wrong (trusted)."""

    def write(self, product: Any, folder: Path) -> None:
        """Keep an accepted product as files in `folder` (trusted)."""

    def read(self, folder: Path) -> Any:
        """The product that `write` kept in `folder`."""


class Asked(Protocol):
    """The part of a contract that asking a solution needs."""

    def call(self, solution: ModuleType, arguments: Mapping[str, Any]) -> Any: ...

    def accept(self, result: Any, arguments: Mapping[str, Any]) -> Any: ...


def ask_solution(
    contract: Asked,
    solution: ModuleType,
    given: Mapping[str, Any],
    arguments: Mapping[str, Any] | None = None,
) -> Any:
    """The accepted product of a solution for `given`; ContractError for everything it does wrong.

    `arguments`, if they are another copy, are what the result is accepted against. A result so odd
    that accepting it breaks is the solution's fault too.
    """
    return accepted(
        contract, contract.call(solution, given), given if arguments is None else arguments
    )


def accepted(contract: Asked, result: Any, arguments: Mapping[str, Any]) -> Any:
    """The product of what a solution returned; ContractError for everything that is wrong in it."""
    try:
        return contract.accept(result, arguments)
    except ContractError:
        raise
    except Exception as error:  # a result may be anything: here it becomes data
        raise ContractError(
            f"expected a result as the contract says, found one that cannot be read: "
            f"{type(error).__name__}: {error}"
        ) from error
