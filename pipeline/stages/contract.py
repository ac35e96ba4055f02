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

    def folder(self, stage: str) -> Path:
        """The folder of `stage`'s files that this pass may read."""
        base = self.upstream[stage]
        return base / ("sealed" if self.sealed else "output")


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
