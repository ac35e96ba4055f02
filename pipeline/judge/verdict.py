"""The outcome of judging a stage's output: checks, guards, the rung reached, why it failed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import jsonschema
import numpy as np

from pipeline.files import read_json, write_json

Rung = Literal["exact", "permutation", "statistical", "physics"]
RUNGS: tuple[Rung, ...] = get_args(Rung)
"""The ladder, highest rung first."""

Outcome = Literal["passed", "failed", "not_reached", "reference"]
Attribution = Literal["model", "endpoint", "infrastructure", "harness", "data"]
Scalar = str | float | int | bool | None

VERDICT_SCHEMA = 1


class VerdictError(ValueError):
    """A verdict file or a value in a verdict is not of the documented form."""


@dataclass(frozen=True)
class Check:
    """One comparison with what was expected.

    A check with a `rung` belongs to the ladder: failing it costs that rung only. A check without
    one is a requirement that needs no reference: failing it fails the stage.
    """

    name: str
    passed: bool
    expected: Scalar
    found: Scalar
    detail: str = ""
    rung: Rung | None = None


@dataclass(frozen=True)
class GuardCheck:
    """One answer of the frozen solution to inputs that were changed in a known way."""

    name: str
    passed: bool
    expected: Scalar
    found: Scalar
    detail: str = ""


@dataclass(frozen=True)
class Failure:
    """Why a stage failed, in the words of the taxonomy, and whose fault it is."""

    category: str
    attribution: Attribution
    evidence: str


@dataclass(frozen=True)
class Verdict:
    """What the judge says about one stage of one point."""

    stage: str
    outcome: Outcome
    rung: Rung | None = None
    checks: tuple[Check, ...] = ()
    guard: tuple[GuardCheck, ...] = ()
    failure: Failure | None = None

    def __post_init__(self) -> None:
        if (self.outcome == "passed") != (self.rung is not None):
            raise VerdictError(
                f"expected a rung exactly for a passed stage, found outcome {self.outcome!r} with "
                f"rung {self.rung!r} for stage {self.stage!r}"
            )
        if (self.outcome == "failed") and self.failure is None:
            raise VerdictError(f"expected a failure for failed stage {self.stage!r}, found none")

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain JSON types, as `verdict.json` keeps it; numbers are finite."""
        plain = asdict(self)
        for check in [*plain["checks"], *plain["guard"]]:
            check["expected"] = _plain(check["expected"])
            check["found"] = _plain(check["found"])
            check["passed"] = bool(check["passed"])
        plain["checks"] = list(plain["checks"])
        plain["guard"] = list(plain["guard"])
        return {"schema": VERDICT_SCHEMA, **plain}

    @classmethod
    def from_json(cls, data: Any) -> Verdict:
        """The verdict that `to_json` gave; VerdictError says where `data` leaves the schema."""
        problem = jsonschema.exceptions.best_match(
            jsonschema.Draft202012Validator(SCHEMA).iter_errors(data)
        )
        if problem is not None:
            where = "/".join(map(str, problem.absolute_path)) or "its top level"
            raise VerdictError(
                f"expected a verdict of schema {VERDICT_SCHEMA}, found at {where}: "
                f"{problem.message}; have the stage judged again"
            )
        failure = data["failure"]
        return cls(
            stage=data["stage"],
            outcome=cast(Outcome, data["outcome"]),
            rung=cast("Rung | None", data["rung"]),
            checks=tuple(Check(**check) for check in data["checks"]),
            guard=tuple(GuardCheck(**check) for check in data["guard"]),
            failure=None if failure is None else Failure(**failure),
        )


def rung_reached(checks: Sequence[Check]) -> Rung | None:
    """The highest rung that has checks of its own and passes all of them; None below the last.

    A rung that no check tests is not reached: silence proves nothing. Requirements (checks
    without a rung) are not looked at here.
    """
    for rung in RUNGS:
        own = [check.passed for check in checks if check.rung == rung]
        if own and all(own):
            return rung
    return None


def failed_requirements(
    checks: Sequence[Check], guard: Sequence[GuardCheck]
) -> tuple[Check | GuardCheck, ...]:
    """The checks and guards that fail a stage whatever its rung, in the order they were made."""
    requirements: list[Check | GuardCheck] = [c for c in checks if c.rung is None]
    return tuple(check for check in [*requirements, *guard] if not check.passed)


def write_verdict(path: Path | str, verdict: Verdict) -> None:
    """Write `verdict.json`, atomically."""
    write_json(path, verdict.to_json())


def read_verdict(path: Path | str) -> Verdict:
    """The verdict in a `verdict.json`; VerdictError if the file holds something else."""
    return Verdict.from_json(read_json(path))


def _plain(value: Any) -> Scalar:
    """`value` as a JSON scalar: NumPy types unpacked, NaN and infinities as words."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise VerdictError(
        f"expected a number, text, truth value or nothing in a check, found {value!r}"
    )


_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_GUARD: dict[str, Any] = {
    "name": {"type": "string", "minLength": 1},
    "passed": {"type": "boolean"},
    "expected": _SCALAR,
    "found": _SCALAR,
    "detail": {"type": "string"},
}
_CHECK = {**_GUARD, "rung": {"enum": [*RUNGS, None]}}
_FAILURE: dict[str, Any] = {
    "category": {"type": "string", "minLength": 1},
    "attribution": {"enum": list(get_args(Attribution))},
    "evidence": {"type": "string"},
}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "verdict.json",
    **_closed(
        {
            "schema": {"const": VERDICT_SCHEMA},
            "stage": {"type": "string", "minLength": 1},
            "outcome": {"enum": list(get_args(Outcome))},
            "rung": {"enum": [*RUNGS, None]},
            "checks": {"type": "array", "items": _closed(_CHECK)},
            "guard": {"type": "array", "items": _closed(_GUARD)},
            "failure": {"oneOf": [{"type": "null"}, _closed(_FAILURE)]},
        }
    ),
}
"""JSON schema (draft 2020-12) of `verdict.json`."""
