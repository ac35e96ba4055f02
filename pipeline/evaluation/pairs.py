"""Paired comparison of two configurations: the same stages, the same trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

from scipy import stats

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.intervals import Rate, rate, wilson
from pipeline.evaluation.measures import ALL_STAGES, unreached

CHAIN_NOTE = "not reached counts as not passed"


@dataclass(frozen=True)
class PairedRates:
    """Configuration `a` against `b` at one stage, or at ALL_STAGES, on cells that both have."""

    a: str
    b: str
    stage: str
    n: int
    """Pairs: stages and trials that both were rated at, or did not reach by their own failure."""
    unpaired: int
    """Rated cells of one of the two without a rated one of the other."""
    rate_a: Rate
    rate_b: Rate
    only_a: int
    only_b: int
    """Pairs that one passed and the other did not: all that the test looks at."""
    difference: float | None
    """Rate of a minus rate of b, with its interval; None without pairs."""
    low: float | None
    high: float | None
    p: float
    """Exact two-sided McNemar test of equal rates."""
    p_holm: float
    """The same, corrected by Holm for the number of comparisons of its table."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class DoubleCellError(ValueError):
    """Two cells of one side belong to the same stage and trial."""


def by_trial(cell: Cell) -> Hashable:
    """What two configurations of one sweep share."""
    return cell.stage, cell.trial


def by_setting(cell: Cell) -> Hashable:
    """What two models, or two runs, with the same settings share."""
    return cell.stage, cell.trial, cell.setting


def compare(
    a: Sequence[Cell],
    b: Sequence[Cell],
    names: tuple[str, str],
    key: Callable[[Cell], Hashable] = by_trial,
) -> tuple[PairedRates, ...]:
    """ALL_STAGES first, then each stage; p values corrected for the number of stages.

    Where a stage was not reached by a model's own failure it counts as not passed: to leave out
    what one of the two did not reach would favour the one that fails early.
    Raises DoubleCellError if the key does not tell two cells of one side apart.
    """
    mine, others = _by_key(a, key, names[0]), _by_key(b, key, names[1])
    stages = list(dict.fromkeys(cell.stage for cell in (*a, *b)))
    whole = _paired(mine, others, ALL_STAGES, names)
    rows = [
        _paired(
            {k: c for k, c in mine.items() if c.stage == stage},
            {k: c for k, c in others.items() if c.stage == stage}, stage, names,
        )
        for stage in stages
    ]  # fmt: skip
    return (whole, *_corrected(rows))


def all_pairs(cells: Sequence[Cell]) -> tuple[PairedRates, ...]:
    """Every two configurations of a sweep, by stage and trial; ours are in none.

    Holm's correction is made twice: over the comparisons at ALL_STAGES, and over those at single
    stages.
    """
    own: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.outcome != "reference" and cell.model != "reference":
            own.setdefault(cell.config, []).append(cell)
    rows = [row for a, b in combinations(own, 2) for row in compare(own[a], own[b], (a, b))]
    whole = _corrected([row for row in rows if row.stage == ALL_STAGES])
    single = _corrected([row for row in rows if row.stage != ALL_STAGES])
    return (*whole, *single)


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided exact p value of equal rates, from the pairs in which they differ.

    Q. McNemar, Psychometrika 12 (1947) 153, with the binomial distribution in place of χ².
    """
    if only_a + only_b == 0:
        return 1.0
    return float(stats.binomtest(only_a, only_a + only_b, 0.5).pvalue)


def newcombe(both: int, only_a: int, only_b: int, neither: int) -> tuple[float, float]:
    """Interval of rate a minus rate b of paired cells.

    R. G. Newcombe, Stat. Med. 17 (1998) 2635, method 10: square-and-add from Wilson's intervals,
    with the correlation φ of the table, which if positive is corrected towards 0 for continuity.
    """
    n = both + only_a + only_b + neither
    first, second = both + only_a, both + only_b
    p1, p2 = first / n, second / n
    (l1, u1), (l2, u2) = wilson(first, n), wilson(second, n)
    margins = first * (n - first) * second * (n - second)
    together = both * neither - only_a * only_b
    corrected = max(0.0, together - n / 2) if together > 0 else together
    phi = corrected / math.sqrt(margins) if margins else 0.0
    below = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    difference = p1 - p2
    low = difference - math.sqrt(max(0.0, below))
    high = difference + math.sqrt(max(0.0, above))
    return max(-1.0, low), min(1.0, high)


def holm(values: Sequence[float]) -> list[float]:
    """p values corrected for their number (S. Holm, Scand. J. Stat. 6 (1979) 65)."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    corrected = [1.0] * len(values)
    largest = 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - place) * values[i]))
        corrected[i] = largest
    return corrected


def _by_key(
    cells: Sequence[Cell], key: Callable[[Cell], Hashable], name: str
) -> dict[Hashable, Cell]:
    found: dict[Hashable, Cell] = {}
    for cell in cells:
        other = found.setdefault(key(cell), cell)
        if other is not cell:
            raise DoubleCellError(
                f"expected one cell of {name} per stage and trial, found {other.point} "
                f"({other.config}) and {cell.point} ({cell.config}) for {cell.stage}, trial "
                f"{cell.trial}; name one configuration as RUN:CONFIG"
            )
    return {k: c for k, c in found.items() if c.rated or unreached(c)}


def _paired(
    mine: dict[Hashable, Cell], others: dict[Hashable, Cell], stage: str, names: tuple[str, str]
) -> PairedRates:
    shared = [k for k in mine if k in others]
    pairs = [(mine[k].outcome == "passed", others[k].outcome == "passed") for k in shared]
    n, both = len(pairs), pairs.count((True, True))
    only_a, only_b = pairs.count((True, False)), pairs.count((False, True))
    low, high = newcombe(both, only_a, only_b, pairs.count((False, False))) if n else (None, None)
    p = mcnemar(only_a, only_b)
    return PairedRates(
        names[0], names[1], stage, n, len(mine) + len(others) - 2 * n,
        rate(both + only_a, n), rate(both + only_b, n), only_a, only_b,
        (only_a - only_b) / n if n else None, low, high, p, p,
    )  # fmt: skip


def _corrected(rows: Sequence[PairedRates]) -> list[PairedRates]:
    values = holm([row.p for row in rows])
    return [replace(row, p_holm=p) for row, p in zip(rows, values, strict=True)]
