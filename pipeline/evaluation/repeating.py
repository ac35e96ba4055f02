"""Repeatability: how often two trials of the same thing end with the same thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.intervals import wilson
from pipeline.judge.verdict import RUNGS

EQUAL = RUNGS[: RUNGS.index("statistical") + 1]
"""Rungs that are narrow enough on both sides to call two outputs equal: below them a result may
be better than the reference by any amount."""


@dataclass(frozen=True)
class Share:
    """Share of pairs that agree, with its interval; None if there is no pair."""

    agree: int
    pairs: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Repeatability:
    """Of pairs of rated trials of one stage. A trial without code, or output, equals no other."""

    code: Share
    """The same frozen code."""
    output: Share
    """The same bits of output."""
    ladder: Share
    """The same bits, or both agree with the reference at least statistically (EQUAL)."""
    by_construction: int
    """Pairs with the same output where one of the two was linked to an execution of the same code
    on the same inputs: that they agree was not measured."""
    shared: int
    """Cells whose output was linked."""


def repeatability(cells: Sequence[Cell]) -> Repeatability:
    """Pairs of the same configuration and stage among the rated ones of `cells`.

    Pairs and not the largest class of equal trials: a share of pairs does not grow when there are
    fewer trials, and ten trials in two halves (20 of 45 pairs) differ from five alike and five
    stragglers (10 of 45), which both have a largest class of five.
    Pairs that share a trial are not independent. As many are as there are disjoint pairs, half the
    trials, and a mean over all pairs varies no more than one over disjoint ones (W. Hoeffding, J.
    Am. Stat. Assoc. 58 (1963) 13): the interval is Wilson's with that number, which is cautious.
    """
    rated = sorted((c for c in cells if c.rated), key=_place)
    groups = [list(group) for _, group in groupby(rated, key=_place)]
    linked = sum(
        _same_output(a, b) and _same_code(a, b) and (a.shared or b.shared)
        for group in groups
        for a, b in combinations(group, 2)
    )
    return Repeatability(
        _share(groups, _same_code),
        _share(groups, _same_output),
        _share(groups, _equal),
        linked,
        sum(cell.shared for cell in rated),
    )


def _place(cell: Cell) -> tuple[str, str]:
    return cell.config, cell.stage


def _same_code(a: Cell, b: Cell) -> bool:
    return a.code_sha256 is not None and a.code_sha256 == b.code_sha256


def _same_output(a: Cell, b: Cell) -> bool:
    return a.output_sha256 is not None and a.output_sha256 == b.output_sha256


def _equal(a: Cell, b: Cell) -> bool:
    return _same_output(a, b) or (a.rung in EQUAL and b.rung in EQUAL)


def _share(groups: Sequence[Sequence[Cell]], same: Callable[[Cell, Cell], bool]) -> Share:
    agree = sum(same(a, b) for group in groups for a, b in combinations(group, 2))
    pairs = sum(len(group) * (len(group) - 1) // 2 for group in groups)
    if pairs == 0:
        return Share(0, 0, None, None, None)
    disjoint = sum(len(group) // 2 for group in groups)
    value = agree / pairs
    return Share(agree, pairs, value, *wilson(value * disjoint, disjoint))
