"""The tolerance ladder for tables: the exact, permutation and statistical rungs and their limits.

The two tables come from the same events, so agreement is far tighter than between independent
samples: rows and values are compared event by event, and only rows that one table lacks, or values
that differ, contribute to an uncertainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.judge.columns import Table
from pipeline.judge.matching import EVENT, Matching, differing, distance, match_rows, same_bits
from pipeline.judge.verdict import Check, Rung


@dataclass(frozen=True)
class Limits:
    """Thresholds of the ladder; docs/decisions/0003-tolerance-ladder.md gives the reasons."""

    float32: float = 1e-6
    """Relative, permutation rung: eight units in the last place of a 4-byte number."""
    float64: float = 1e-9
    """Relative, permutation rung: another order of sums, not another formula."""
    missing_share: float = 0.005
    """Rows that either table lacks, as share of the expected rows; and the yields' difference."""
    sigmas: float = 3.0
    """Yield difference in units of the root of the sum of squared weights of what differs."""
    distance: float = 0.005
    """Kolmogorov-Smirnov distance of a column: no cut moves more than 0.5 % of the rows."""
    value: float = 1e-3
    """Relative, same event: half of the photon energy scale's uncertainty (0.2 %)."""
    differing_share: float = 0.01
    """Common events whose value differs by more than `value`."""
    chance_share: float = 0.1
    """The same, as share of what a shuffled column would give: for columns that are mostly 0."""


LIMITS = Limits()


def compare_tables(
    name: str,
    found: Table,
    expected: Table,
    identity: Sequence[str] = EVENT,
    weight: str | None = None,
    limits: Limits = LIMITS,
) -> list[Check]:
    """Checks of table `name`, from the exact rung down to the first rung that it passes.

    A rung that is passed implies the rungs below it, so that their checks are not made. `weight`
    names the column of event weights, if the table has one that counts.
    """
    checks = [exact(name, found, expected)]
    if checks[-1].passed:
        return checks
    lacking = [c for c in identity if c not in found.columns]
    if lacking:
        why = f"no column {', '.join(lacking)}: rows cannot be matched"
        return [
            *checks,
            Check(f"{name}: identity", False, "named events", "none", why, "statistical"),
        ]
    matching = match_rows(found, expected, identity)
    checks.append(permutation(name, found, expected, matching, limits))
    if checks[-1].passed:
        return checks
    return checks + agreement(name, found, expected, matching, weight, limits=limits)


def exact(name: str, found: Table, expected: Table) -> Check:
    """Same columns, types, rows and order, bit for bit."""
    title = f"{name}: bit for bit"
    problem = ""
    if list(found.columns) != list(expected.columns):
        problem = _columns_differ(found, expected)
    elif len(found) != len(expected):
        problem = f"{len(found)} rows instead of {len(expected)}"
    else:
        unequal = [
            c
            for c in expected.columns
            if not same_bits(found[c].to_numpy(), expected[c].to_numpy())
        ]
        problem = f"differing columns: {', '.join(unequal)}" if unequal else ""
    said = "the same bits" if not problem else "other bits"
    return Check(title, not problem, "the same bits", said, problem, "exact")


def permutation(
    name: str,
    found: Table,
    expected: Table,
    matching: Matching,
    limits: Limits = LIMITS,
) -> Check:
    """The same rows in any order: every event once, every value within the rounding tolerance."""
    title = f"{name}: same rows in another order"
    said = f"{len(expected)} rows"
    if set(found.columns) != set(expected.columns):
        detail = _columns_differ(found, expected)
        return Check(title, False, said, f"{len(found)} rows", detail, "permutation")
    if matching.unpaired:
        detail = (
            f"{len(matching.only_expected)} rows missing, {len(matching.only_found)} rows too many"
        )
        return Check(title, False, said, f"{len(found)} rows", detail, "permutation")
    far = []
    for column in expected.columns:
        a = found[column].to_numpy()[matching.found]
        b = expected[column].to_numpy()[matching.expected]
        rows = int(
            differing(a, b, limits.float32 if b.dtype == np.float32 else limits.float64).sum()
        )
        if rows:
            far.append(f"{column} ({rows} rows)")
    detail = f"values beyond rounding: {', '.join(far)}" if far else ""
    return Check(title, not far, said, f"{len(found)} rows", detail, "permutation")


def agreement(
    name: str,
    found: Table,
    expected: Table,
    matching: Matching,
    weight: str | None = None,
    columns: Sequence[str] | None = None,
    rung: Rung = "statistical",
    limits: Limits = LIMITS,
) -> list[Check]:
    """Checks that two tables agree within what their differing rows and values allow.

    Four checks: the events are the same up to `missing_share`; the yields (rows, and the sum of
    `weight`) agree; each column's distribution agrees; and each event's own values agree, which
    a column shuffled among its rows does not. `columns` limits the last two.
    """
    names = list(expected.columns if columns is None else columns)
    absent = [c for c in names if c not in found.columns]
    changed = [c for c in names if c not in absent and _changed(c, found, expected, matching)]
    moved = changed
    weights = [weight] if weight is not None and weight in found.columns else []
    if matching.unpaired or any(_changed(w, found, expected, matching) for w in weights):
        moved = [c for c in names if c not in absent]
    return [
        _events(name, found, expected, matching, rung, limits),
        *_yields(name, found, expected, matching, weight, rung, limits),
        _distributions(name, found, expected, moved, absent, weight, rung, limits),
        _values(name, found, expected, matching, changed, rung, limits),
    ]


def _changed(column: str, found: Table, expected: Table, matching: Matching) -> bool:
    """Whether common events differ at all in a column; where they do not, nothing is computed."""
    a = found[column].to_numpy()[matching.found]
    return not same_bits(a, expected[column].to_numpy()[matching.expected])


def _events(
    name: str,
    found: Table,
    expected: Table,
    matching: Matching,
    rung: Rung,
    limits: Limits,
) -> Check:
    allowed = int(limits.missing_share * len(expected))
    detail = f"{len(matching.only_expected)} missing, {len(matching.only_found)} too many"
    passed = matching.unpaired <= allowed
    said = f"at most {allowed} of {len(expected)} events differ"
    return Check(f"{name}: events", passed, said, matching.unpaired, detail, rung)


def _yields(
    name: str,
    found: Table,
    expected: Table,
    matching: Matching,
    weight: str | None,
    rung: Rung,
    limits: Limits,
) -> list[Check]:
    pairs = [("rows", np.ones(len(found)), np.ones(len(expected)))]
    if weight is not None:
        if weight not in found.columns:
            return [
                Check(f"{name}: sum of {weight}", False, f"a column {weight}", "none", "", rung)
            ]
        pairs.append((f"sum of {weight}", found[weight].to_numpy(float),
                      expected[weight].to_numpy(float)))  # fmt: skip
    checks = []
    for title, a, b in pairs:
        change = a[matching.found] - b[matching.expected]
        variance = (
            np.sum(a[matching.only_found] ** 2)
            + np.sum(b[matching.only_expected] ** 2)
            + np.sum(change**2)
        )
        difference = float(a.sum() - b.sum())
        rounding = limits.float32 * float(np.abs(b).sum())
        passed = abs(difference) <= limits.missing_share * abs(b.sum()) + rounding and (
            abs(difference) <= limits.sigmas * np.sqrt(variance) + rounding
        )
        detail = (
            f"difference {difference:.6g}; allowed: {limits.missing_share:.1%} and "
            f"{limits.sigmas:g} sigma of what differs ({np.sqrt(variance):.4g})"
        )
        checks.append(
            Check(f"{name}: {title}", bool(passed), float(b.sum()), float(a.sum()), detail, rung)
        )
    return checks


def _distributions(
    name: str,
    found: Table,
    expected: Table,
    present: Sequence[str],
    absent: Sequence[str],
    weight: str | None,
    rung: Rung,
    limits: Limits,
) -> Check:
    weights: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
    if weight is not None and weight in found.columns:
        weights = (found[weight].to_numpy(float), expected[weight].to_numpy(float))
    far, largest = [f"{c} (missing)" for c in absent], 0.0
    for column in present:
        a, b = found[column].to_numpy(), expected[column].to_numpy()
        apart = distance(a, b, *weights)
        largest = max(largest, apart)
        if apart > limits.distance:
            far.append(f"{column} ({apart:.3g})")
    said = f"distance of every column at most {limits.distance:g}"
    detail = f"beyond it: {', '.join(far)}" if far else ""
    return Check(f"{name}: distributions", not far, said, largest, detail, rung)


def _values(
    name: str,
    found: Table,
    expected: Table,
    matching: Matching,
    present: Sequence[str],
    rung: Rung,
    limits: Limits,
) -> Check:
    far, largest, pairs = [], 0.0, len(matching.found)
    for column in present if pairs else ():
        a = found[column].to_numpy()[matching.found]
        b = expected[column].to_numpy()[matching.expected]
        share = float(differing(a, b, limits.value).mean())
        chance = float(differing(np.roll(b, pairs // 2 or 1), b, limits.value).mean())
        largest = max(largest, share)
        if share > min(limits.differing_share, limits.chance_share * chance):
            far.append(f"{column} ({share:.3g}; shuffled {chance:.3g})")
    said = (
        f"at most {limits.differing_share:.0%} of common events differ by {limits.value:g}, and "
        f"at most {limits.chance_share:.0%} of what a shuffled column gives"
    )
    detail = f"beyond it: {', '.join(far)}" if far else ""
    return Check(f"{name}: values event by event", not far, said, largest, detail, rung)


def _columns_differ(found: Table, expected: Table) -> str:
    missing = [c for c in expected.columns if c not in found.columns]
    extra = [c for c in found.columns if c not in expected.columns]
    if missing or extra:
        return f"columns missing: {missing}; not expected: {extra}"
    return "the columns are in another order"
