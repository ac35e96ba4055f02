"""How convert is judged: schema, event identity, units, cut flow, then the ladder per sample."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from pipeline.files import read_json
from pipeline.judge.columns import Picked, Table, opened
from pipeline.judge.guard import rows_follow, same_twice
from pipeline.judge.judging import conclude
from pipeline.judge.ladder import LIMITS, agreement, compare_tables
from pipeline.judge.matching import differing, match_rows
from pipeline.judge.request import JudgeRequest
from pipeline.judge.rerun import FrozenSolution, Solution
from pipeline.judge.slices import (
    ENERGY_SCALE,
    Slice,
    kept_events,
    renamed,
    renamed_rows,
    rows_of,
    scaled,
    slices,
    turned,
)
from pipeline.judge.verdict import Check, GuardCheck, Verdict, rung_reached
from pipeline.stages.convert.columns import IDENTITY, columns
from pipeline.stages.convert.contract import CONTRACT
from pipeline.stages.convert.input_events import InputEvents

FLAGS = ("ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated")
PLAUSIBLE = (0.3, 3_000.0)
"""GeV: where the median of any energy-like column that is not zero must lie. In MeV it is at
least 10,000, in TeV at most 0.3."""
SCALED_MASS = 1e-4
"""Relative: the mass of scaled objects, from 4-byte numbers that were rounded once more."""


def judge(request: JudgeRequest) -> Verdict:
    """The verdict on convert, sample by sample; the guard asks about slices of the input."""
    channel = request.settings.channel
    events = InputEvents.of(request)
    ledger = events.ledger["samples"]
    cutflows = read_json(request.output / "output" / "cutflow.json")
    checks: list[Check] = []
    for sample in sorted(ledger):
        path = request.found(f"{sample}.parquet")
        checks.append(_schema(sample, path, channel.name))
        if not checks[-1].passed:
            continue
        table = opened(path)
        checks += _cutflow(sample, table, cutflows.get(sample, []), ledger[sample], channel.name)
        checks.append(_units(sample, table, channel.name))
        known = None
        if not request.is_reference:
            known = opened(request.expected(f"{sample}.parquet"))
            checks += _ladder(sample, table, known, request)
        checks.append(events.check(sample, table, known))
        if request.fileset["samples"][sample]["kind"] == "data":
            checks.append(_blinding(request, sample))
    if not request.is_reference:
        checks += _same_cutflows(request, cutflows)
    guard: list[GuardCheck] = []
    if request.solution_path is not None:
        solution = FrozenSolution.of(request, CONTRACT)
        for part in slices(events.fileset, request.settings.data.release):
            guard += fabrication(solution, part, channel.name, channel.observable)
    return conclude(request, checks, guard)


def _schema(sample: str, path: Path, channel: str) -> Check:
    wanted = [f"{c.name} {c.dtype}" for c in columns(channel)]
    if not path.exists():
        return Check(f"{sample}: schema", False, "a table", "no file", path.name)
    schema = pq.read_schema(path)
    found = [
        f"{n} {np.dtype(t.to_pandas_dtype())}"
        for n, t in zip(schema.names, schema.types, strict=True)
    ]
    other = sorted({*wanted} ^ {*found})
    said = f"{len(wanted)} columns of the channel"
    detail = f"missing, extra or of another type: {', '.join(other)}" if other else ""
    return Check(f"{sample}: schema", not other, said, f"{len(found)} columns", detail)


def _cutflow(
    sample: str,
    table: Table,
    cutflow: list[list[Any]],
    read: Mapping[str, Any],
    channel: str,
) -> list[Check]:
    """It falls, begins with the entries that were read, and ends with the rows selected."""
    counts = [int(n) for _, n in cutflow]
    first, last = (counts[0], counts[-1]) if counts else (None, None)
    entries = read["entries_done"]
    falls = all(b <= a for a, b in pairwise(counts))
    selected = len(table) if channel != "hyy" else int(_tight(table).sum())
    return [
        Check(f"{sample}: cut flow begins with all entries", first == entries, entries, first),
        Check(f"{sample}: cut flow never rises", falls, "falling", str(counts)),
        Check(f"{sample}: cut flow ends with the rows selected", last == selected, selected, last),
    ]


def _tight(table: Table) -> npt.NDArray[np.bool_]:
    """Rows whose two photons are tight and isolated."""
    return np.asarray(np.all([table[flag].to_numpy(bool) for flag in FLAGS], axis=0))


def _units(sample: str, table: Table, channel: str) -> Check:
    low, high = PLAUSIBLE
    odd = []
    for column in columns(channel):
        if column.unit != "GeV":
            continue
        values = np.abs(table[column.name].to_numpy(float))
        values = values[np.isfinite(values) & (values > 0)]
        if len(values) and not low <= float(np.median(values)) <= high:
            odd.append(f"{column.name} {float(np.median(values)):.4g}")
    said = f"medians from {low:g} to {high:g} GeV"
    return Check(f"{sample}: units", not odd, said, ", ".join(odd) or said)


def _blinding(request: JudgeRequest, sample: str) -> Check:
    """No blinded event is in the table that a solver may see: ours say which events those are."""
    seen = opened(request.output / "output" / f"{sample}.parquet")
    everything = opened(request.expected(f"{sample}.parquet"))
    rows = np.zeros(0, np.int64)
    if request.is_reference:
        channel = request.settings.channel
        if channel.name == "hyy" and not request.settings.unblind:
            mass = everything[channel.observable].to_numpy(float)
            low, high = channel.blind
            rows = np.flatnonzero(_tight(everything) & (mass > low) & (mass < high))
    else:
        shown = opened(request.reference / "output" / f"{sample}.parquet")
        rows = match_rows(everything, shown, IDENTITY).only_found
    found = len(match_rows(seen, Picked(everything, rows), IDENTITY).found)
    return Check(f"{sample}: blinded rows in output/", found == 0, 0, found)


def _ladder(sample: str, found: Table, expected: Table, request: JudgeRequest) -> list[Check]:
    """The rungs of one sample; for physics only what the measurement uses must agree."""
    simulated = request.fileset["samples"][sample]["kind"] == "mc"
    weight = "weight" if simulated else None
    checks = compare_tables(sample, found, expected, IDENTITY, weight)
    if rung_reached(checks) is not None:
        return checks
    channel = request.settings.channel
    used = {channel.observable, *channel.features, *FLAGS, "weight", "sum_weights"}
    kept = [c for c in expected.columns if c in used]
    matching = match_rows(found, expected, IDENTITY)
    return checks + agreement(sample, found, expected, matching, weight, kept, "physics")


def _same_cutflows(request: JudgeRequest, found: Mapping[str, Any]) -> list[Check]:
    """The counts of every step (exact), or at least those of the last one (below)."""
    expected = read_json(request.reference / "output" / "cutflow.json")
    right = {sample: [n for _, n in steps] for sample, steps in expected.items()}
    mine = {sample: [n for _, n in found.get(sample, [])] for sample in right}
    other = [sample for sample in sorted(right) if mine[sample] != right[sample]]
    said = ", ".join(other) or "none"
    checks = [Check("cut flows: samples that differ", not other, "none", said, "", "exact")]
    if other:
        ends = [
            s
            for s in other
            if not mine[s] or abs(mine[s][-1] - right[s][-1]) > LIMITS.missing_share * right[s][-1]
        ]
        detail = f"allowed: {LIMITS.missing_share:.1%}"
        for rung in ("permutation", "statistical", "physics"):
            checks.append(
                Check("cut flows: events selected", not ends, "none", ", ".join(ends) or "none",
                      detail, rung)
            )  # fmt: skip
    return checks


def fabrication(solution: Solution, part: Slice, channel: str, observable: str) -> list[GuardCheck]:
    """The solution on a slice of the input, and on the slice changed in four known ways."""
    name = part.sample

    def ask(events: Any) -> Any:
        return solution.ask({"events": events, "channel": channel})

    given = {"events": part.events, "channel": channel}
    first = solution.ask(given)
    if first.failed:
        return [first.guard(f"{name}: {len(part.events)} events of the input")]
    base = first.product.table
    guard = [same_twice(solution, given, first)]
    fewer, _ = kept_events(part.events)
    kept = rows_of(base, fewer)
    for question, events, right in (
        ("every third event dropped", fewer, base[kept]),
        ("events in another order", turned(part.events), base),
        (
            "other event numbers" + (", doubled weights" if part.simulated else ""),
            renamed(part.events, part.simulated),
            renamed_rows(base, part.simulated),
        ),
    ):
        answer = ask(events)
        if answer.failed:
            guard.append(answer.guard(f"{name}: {question}"))
        else:
            guard.append(
                rows_follow(f"{name}: {question}", answer.product.table, right, identity=IDENTITY)
            )
    answer = ask(scaled(part.events))
    question = f"{name}: photons and leptons scaled by {ENERGY_SCALE:g}"
    if answer.failed:
        return [*guard, answer.guard(question)]
    return guard + _scaled(question, base, answer.product.table, observable)


def _scaled(
    question: str, base: pd.DataFrame, found: pd.DataFrame, observable: str
) -> list[GuardCheck]:
    """No event is lost (thresholds are passed more easily), and the mass of each scales."""
    matching = match_rows(found, base, IDENTITY)
    lost = len(matching.only_expected)
    a = found[observable].to_numpy(float)[matching.found]
    b = base[observable].to_numpy(float)[matching.expected] * ENERGY_SCALE
    wrong = int(differing(a, b, SCALED_MASS).sum())
    return [
        GuardCheck(f"{question}: no event is lost", lost <= LIMITS.missing_share * len(base),
                   f"at most {LIMITS.missing_share:.1%} of {len(base)}", lost,
                   f"{len(matching.only_found)} more events pass"),
        GuardCheck(f"{question}: {observable} scales", wrong == 0, 0, wrong,
                   f"events of {len(a)} whose mass does not"),
    ]  # fmt: skip
