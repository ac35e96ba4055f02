"""How categorize is judged: significance recomputed by us, the stopping rule, the background."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from pipeline.judge.guard import every_third, same_twice, spread
from pipeline.judge.judging import conclude
from pipeline.judge.request import JudgeRequest
from pipeline.judge.rerun import FrozenSolution, Solution
from pipeline.judge.verdict import Check, GuardCheck, Verdict
from pipeline.physics.arrays import floats
from pipeline.physics.significance import Scores, SignificanceRule, greedy_steps
from pipeline.stages.categorize.contract import CATEGORIES_FILE, CONTRACT

ROUNDING = 1e-9
"""Relative: sums of the same weights in another order."""
STATISTICAL = 0.01
"""Relative, combined significance; with boundaries no further than two candidate steps away."""
BOUNDARY = 0.02
PHYSICS = 0.95
"""Share of the reference's significance: one stopping step (a gain of 5 %) may be missed."""
GUARD_ROWS = 10_000
"""Rows of signal and of background that the guard asks about, weights scaled to the same sum."""


def judge(request: JudgeRequest) -> Verdict:
    """The verdict on categorize; boundaries come from what a solver may see, in every pass."""
    found = CONTRACT.read(request.output / "output")
    arguments = CONTRACT.arguments(request.context())
    checks = direct(found, arguments)
    guard: list[GuardCheck] = []
    if request.solution_path is not None:
        guard = fabrication(FrozenSolution.of(request, CONTRACT), arguments)
    if not request.is_reference:
        checks += ladder(found, CONTRACT.read(request.reference / "output"))
    return conclude(request, checks, guard)


def direct(found: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[Check]:
    """Requirements that need no reference: the rules, and the numbers in the file are ours."""
    boundaries = [float(b) for b in found["boundaries"]]
    combined = combined_significance(boundaries, arguments["signal"], arguments["background"])
    recomputed = abs(found["combined"] - combined) <= ROUNDING * max(combined, 1.0)
    title = f"combined significance in {CATEGORIES_FILE}"
    return [
        *rules(boundaries, arguments),
        Check(title, recomputed, combined, found["combined"], "recomputed from the scores"),
    ]


def rules(boundaries: Sequence[float], arguments: Mapping[str, Any]) -> list[Check]:
    """Ascending between 0 and 1; enough background in each category; each boundary worth it."""
    rule: SignificanceRule = arguments["significance"]
    signal, background = arguments["signal"], arguments["background"]
    edges = [0.0, *boundaries, 1.0]
    ascending = all(a < b for a, b in pairwise(edges))
    checks = [Check("boundaries ascend between 0 and 1", ascending, "ascending", str(boundaries))]
    few = len(boundaries) <= rule.max_boundaries
    checks.append(Check("number of boundaries", few, rule.max_boundaries, len(boundaries)))
    if boundaries:
        least = float(min(_yields(boundaries, background)))
        enough = least >= rule.min_background * (1 - ROUNDING)
        checks.append(
            Check("background of every category", enough, rule.min_background, least, "at least")
        )
        worst, where = _smallest_gain(boundaries, signal, background)
        checks.append(
            Check("gain of every boundary", worst >= rule.min_gain - ROUNDING, rule.min_gain, worst,
                  f"at least; the smallest is that of {where:g}")
        )  # fmt: skip
    return checks


def combined_significance(
    boundaries: Sequence[float], signal: pd.DataFrame, background: pd.DataFrame
) -> float:
    """Root of the sum of Z² = 2[(s+b) ln(1+s/b) - s] over the categories; none where s, b <= 0."""
    total = 0.0
    for s, b in zip(_yields(boundaries, signal), _yields(boundaries, background), strict=True):
        if s > 0 and b > 0:
            total += 2 * ((s + b) * math.log1p(s / b) - s)
    return math.sqrt(total)


def _yields(boundaries: Sequence[float], table: pd.DataFrame) -> list[float]:
    """Sum of weights per category; a score on a boundary lies above it."""
    score, weight = table["score"].to_numpy(float), table["weight"].to_numpy(float)
    edges = [-math.inf, *boundaries, math.inf]
    return [float(weight[(score >= low) & (score < high)].sum()) for low, high in pairwise(edges)]


def _smallest_gain(
    boundaries: Sequence[float], signal: pd.DataFrame, background: pd.DataFrame
) -> tuple[float, float]:
    """The smallest gain, and its boundary, when they are added in the order of what they bring."""
    taken: list[float] = []
    before = combined_significance([], signal, background)
    worst, where = math.inf, math.nan
    while len(taken) < len(boundaries):
        left = [b for b in boundaries if b not in taken]
        tried = {b: combined_significance(sorted([*taken, b]), signal, background) for b in left}
        best = max(left, key=lambda b: tried[b])
        gain = tried[best] / before - 1 if before > 0 else float(tried[best] > 0)
        if gain < worst:
            worst, where = gain, best
        taken, before = [*taken, best], tried[best]
    return worst, where


def ladder(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[Check]:
    """The rungs: the same boundaries and significances; near ones; as much significance."""
    mine, right = found["boundaries"], expected["boundaries"]
    same = mine == right and found["significances"] == expected["significances"]
    z, best = float(found["combined"]), float(expected["combined"])
    near = len(mine) == len(right) and all(
        abs(a - b) <= BOUNDARY + ROUNDING for a, b in zip(mine, right, strict=True)
    )
    close = near and abs(z - best) <= STATISTICAL * best
    said = f"boundaries within {BOUNDARY:g}, significance within {STATISTICAL:.0%}"
    return [
        Check("boundaries and significances", same, str(right), str(mine), "", "exact"),
        Check("boundaries and combined significance", close, f"{right}: {best:.4f}",
              f"{mine}: {z:.4f}", said, "statistical"),
        Check("combined significance", z >= PHYSICS * best, best, z,
              f"at least {PHYSICS:.0%} of it", "physics"),
    ]  # fmt: skip


def fabrication(solution: Solution, arguments: Mapping[str, Any]) -> list[GuardCheck]:
    """The solution on a part of its input, and on that part changed in four known ways.

    For each the boundaries must reach what a greedy search of ours reaches.
    """
    part = {**arguments, **{n: _part(arguments[n]) for n in ("signal", "background")}}
    first = solution.ask(part)
    if first.failed:
        return [first.guard("a part of the input")]
    guard = [same_twice(solution, part, first)]
    questions = {
        "a part of the input": part,
        "scores turned round": _changed(part, lambda t: t.assign(score=1 - t["score"])),
        "scores pressed into 0.1 to 0.5": _changed(
            part, lambda t: t.assign(score=0.1 + 0.4 * t["score"])
        ),
        "four times the luminosity": _changed(part, lambda t: t.assign(weight=4 * t["weight"])),
        "every third row dropped": _changed(part, lambda t: t[every_third(len(t))]),
    }
    for question, changed in questions.items():
        answer = first if changed is part else solution.ask(changed)
        if answer.failed:
            guard.append(answer.guard(question))
            continue
        boundaries = answer.product["boundaries"]
        z = combined_significance(boundaries, changed["signal"], changed["background"])
        best = _greedy(changed)
        guard.append(
            GuardCheck(f"{question}: significance", z >= PHYSICS * best, best, z,
                       f"boundaries {boundaries}; at least {PHYSICS:.0%} of ours")
        )  # fmt: skip
    return guard


def _part(table: pd.DataFrame) -> pd.DataFrame:
    rows = table.iloc[spread(len(table), GUARD_ROWS)].reset_index(drop=True)
    whole, kept = float(table["weight"].sum()), float(rows["weight"].sum())
    return rows.assign(weight=rows["weight"] * (whole / kept if kept > 0 else 1.0))


def _changed(part: Mapping[str, Any], change: Any) -> dict[str, Any]:
    tables = {n: change(part[n]).reset_index(drop=True) for n in ("signal", "background")}
    return {**part, **tables}


def _greedy(arguments: Mapping[str, Any]) -> float:
    """Combined significance that the greedy search of physics.md reaches."""
    columns = (
        floats(arguments[n][c]) for n in ("signal", "background") for c in ("score", "weight")
    )
    steps = greedy_steps(Scores(*columns), arguments["significance"])
    taken = sorted(step.boundary for step in steps if step.accepted)
    return combined_significance(taken, arguments["signal"], arguments["background"])
