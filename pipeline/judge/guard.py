"""The fabrication guard: inputs changed in a known way, and outputs that must follow them.

The guard asks the frozen solution again (rerun.py). Constants, random stand-ins and stored answers
fail here whatever their numbers look like, because they do not move as the input does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.judge.ladder import LIMITS, permutation
from pipeline.judge.matching import EVENT, match_rows, same_bits
from pipeline.judge.rerun import Answer, Solution
from pipeline.judge.verdict import GuardCheck


def every_third(n: int) -> npt.NDArray[np.bool_]:
    """Rows that stay when every third of `n` rows is dropped, beginning with the first."""
    return np.asarray(np.arange(n) % 3 != 0)


def spread(n: int, size: int) -> npt.NDArray[np.int64]:
    """At most `size` of the row numbers 0..n-1, evenly spread: the same ones every time."""
    return np.unique(np.linspace(0, n - 1, min(n, size)).astype(np.int64)) if n else np.arange(0)


def difference(first: Any, second: Any, where: str = "") -> str:
    """Where two products differ first, bit for bit; empty if they do not."""
    if isinstance(first, pd.DataFrame) and isinstance(second, pd.DataFrame):
        if list(first.columns) != list(second.columns):
            return f"{where}: other columns"
        return difference(dict(first.items()), dict(second.items()), where)
    if is_dataclass(first) and type(first) is type(second):
        parts = [{f.name: getattr(x, f.name) for f in fields(x)} for x in (first, second)]
        return difference(parts[0], parts[1], where)
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        if list(first) != list(second):
            return f"{where}: other names"
        found = (difference(first[key], second[key], f"{where}/{key}") for key in first)
        return next((text for text in found if text), "")
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        if len(first) != len(second):
            return f"{where}: {len(first)} and {len(second)} items"
        pairs = enumerate(zip(first, second, strict=True))
        return next((text for i, (a, b) in pairs if (text := difference(a, b, f"{where}/{i}"))), "")
    if isinstance(first, (pd.Series, np.ndarray)) and isinstance(second, (pd.Series, np.ndarray)):
        return "" if same_bits(np.asarray(first), np.asarray(second)) else f"{where}: other values"
    a, b = np.asarray(first), np.asarray(second)
    return "" if a.shape == b.shape and same_bits(a.ravel(), b.ravel()) else f"{where}: {a} and {b}"


def same_twice(solution: Solution, arguments: Mapping[str, Any], first: Answer) -> GuardCheck:
    """The same input twice gives the same bits: no clock, no unseeded random number."""
    return alike(first, solution.ask(arguments))


def alike(first: Answer, second: Answer) -> GuardCheck:
    """What `same_twice` says of two answers to the same input."""
    name = "the same input twice gives the same bits"
    if first.failed or second.failed:
        return GuardCheck(name, False, "an answer", first.error or second.error)
    where = difference(first.product, second.product)
    return GuardCheck(name, not where, "the same bits", where or "the same bits")


def rows_follow(
    name: str,
    answer: pd.DataFrame,
    base: pd.DataFrame,
    kept: npt.NDArray[np.bool_] | None = None,
    identity: Sequence[str] = EVENT,
) -> GuardCheck:
    """The answer holds exactly those rows of `base` that are `kept` (default: all), unchanged.

    Order does not count; values must agree within rounding.
    """
    expected = base if kept is None else base[kept]
    matching = match_rows(answer, expected, identity)
    check = permutation(name, answer, expected, matching, LIMITS)
    return GuardCheck(name, check.passed, f"{len(expected)} rows of the first answer, unchanged",
                      f"{len(answer)} rows", check.detail)  # fmt: skip


def depends(name: str, answer: Any, base: Any) -> GuardCheck:
    """The answer to a changed input is another one."""
    where = difference(base, answer)
    found = "another answer" if where else "the same answer, bit for bit"
    return GuardCheck(name, bool(where), "another answer", found, where)


def near(
    name: str, found: float, expected: float, tolerance: float, detail: str = ""
) -> GuardCheck:
    """A number follows the change of the input: |found - expected| <= tolerance."""
    passed = bool(abs(found - expected) <= tolerance)  # NaN fails
    said = f"allowed: {tolerance:.4g}" + (f"; {detail}" if detail else "")
    return GuardCheck(name, passed, float(expected), float(found), said)
