"""What a candidate is tried on: slices of the input, findings that need no reference, hints."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from agents.evidence import Finding
from pipeline.settings import Settings
from pipeline.stages.contract import StageContext

Values = npt.NDArray[np.float64]
SHOWN = 4
"""Problems that a finding lists."""


class NoSliceError(ValueError):
    """The input of a stage holds nothing that a solution could be tried on."""


@dataclass(frozen=True)
class Slice:
    """A small part of a stage's input, the same every time; never a sealed or blinded row."""

    name: str
    """What it is, e.g. `data15_periodD, first 20000 events`: the same text everywhere."""
    arguments: dict[str, Any]
    """What CONTRACT.call and CONTRACT.accept take."""


@dataclass(frozen=True)
class StageHint:
    """A physicist's advice that can be checked; who does not follow it is counted, not failed."""

    id: str
    text: str
    """What the task says."""
    in_code: Callable[[ast.Module], str] | None = None
    """What of the code breaks it, from the syntax tree; empty if nothing does."""
    in_run: Callable[[Mapping[str, Any], Any], str] | None = None
    """What of a run breaks it, from the arguments and the accepted product."""


class Trial(Protocol):
    """The interface that each `pipeline/stages/<stage>/trial.py` exports as `TRIAL`."""

    def slices(self, context: StageContext) -> Iterator[Slice]:
        """The slices, one after the other as they are asked for; NoSliceError if there is none."""

    def findings(self, given: Slice, product: Any, context: StageContext) -> list[Finding]:
        """What the validators say of the accepted product of a slice; none needs the reference."""

    def hints(self, settings: Settings) -> tuple[StageHint, ...]:
        """The hints that hold for a channel and release."""


def at_least_one(slices: Iterable[Slice], stage: str, lacking: str) -> Iterator[Slice]:
    """The slices; NoSliceError at the end if there was none. `lacking` says what was not there."""
    some = False
    for given in slices:
        some = True
        yield given
    if not some:
        raise NoSliceError(
            f"expected {lacking} to try a solution of {stage} on, found none; the notes of the "
            "fileset and the ledger of convert say which files were missing or broken"
        )


def holds(name: str, problems: Sequence[str], wanted: str) -> Finding:
    """A finding that passes if there is no problem; it lists the first ones otherwise."""
    if not problems:
        return Finding(name, True, wanted, wanted)
    more = f" (and {len(problems) - SHOWN} more)" if len(problems) > SHOWN else ""
    return Finding(name, False, wanted, "; ".join(problems[:SHOWN]) + more)


def equal(name: str, expected: object, found: object) -> Finding:
    """A finding that passes if both are equal."""
    return Finding(name, expected == found, str(expected), str(found))


def near(name: str, expected: float, found: float, allowed: float) -> Finding:
    """A finding that passes if two numbers are at most `allowed` apart; NaN never is."""
    passed = bool(abs(found - expected) <= allowed)
    return Finding(name, passed, f"{expected:.6g} (within {allowed:.2g})", f"{found:.6g}")


def odd_medians(
    values: Mapping[str, Values], interval: tuple[float, float], enough: int = 5
) -> list[str]:
    """Columns whose typical size is outside of `interval`, with their medians.

    The median is over finite values that are not 0, without their signs. Where there are fewer
    than `enough` only the upper end counts: one small momentum means nothing.
    """
    low, high = interval
    odd = []
    for name, column in values.items():
        size = np.abs(column[np.isfinite(column) & (column != 0)])
        if not len(size):
            continue
        median = float(np.median(size))
        if median > high or (median < low and len(size) >= enough):
            odd.append(f"median of {name} is {median:.4g}")
    return odd
