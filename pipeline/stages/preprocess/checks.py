"""How preprocess is judged: yields, signed weights, disjoint regions, blinding, then the ladder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.judge.columns import Picked, Stacked, Table, opened, row_codes, rows_at
from pipeline.judge.guard import every_third, same_twice, spread
from pipeline.judge.judging import conclude
from pipeline.judge.ladder import LIMITS, compare_tables, exact
from pipeline.judge.matching import differing, match_rows
from pipeline.judge.regions import ROW, expected_tables
from pipeline.judge.request import JudgeRequest
from pipeline.judge.rerun import FrozenSolution, Solution
from pipeline.judge.verdict import Check, GuardCheck, Verdict
from pipeline.physics.significance import asimov_z
from pipeline.stages.preprocess.contract import CONTRACT
from pipeline.stages.tables import EVENT_TABLES

Tables = Mapping[str, Table]
YIELD = LIMITS.missing_share
"""Relative: a yield may be off by 0.5 %, the weight of rows that sit on an edge."""
IDENTITY_OF_SUMS = 1e-6
"""Relative, for sums that follow from other numbers of the same tables."""
PHYSICS = 0.02
"""Relative, expected significance: the luminosity is not known better than 2.1 %."""
GUARD_ROWS = 4_000
"""Rows per sample that the guard asks about, evenly spread over the sample."""
MASS_SHIFT = 2.0
"""GeV by which the guard moves every mass."""


_UNBLINDED = ("signal", "background", "control")
"""Tables without any blinded row: the same bits in both passes."""


def judge(request: JudgeRequest) -> Verdict:
    """The verdict on preprocess; the solution's own input is its `request.upstream`."""
    arguments = CONTRACT.arguments(replace(request.context(sealed=True), stored=True))
    given, info = arguments["tables"].stored, arguments["info"]
    folder = request.output / "sealed"
    folder = folder if folder.exists() else request.output / "output"
    found = {name: opened(folder / f"{name}.parquet") for name in EVENT_TABLES}
    checks = [*direct(found, given, info), *blinding(request, given, info)]
    guard: list[GuardCheck] = []
    if request.solution_path is not None:
        solution = FrozenSolution.of(request, CONTRACT)
        guard = fabrication(solution, given, info)
    if not request.is_reference:
        expected = {n: opened(request.expected(f"{n}.parquet")) for n in EVENT_TABLES}
        checks += ladder(found, expected, info)
    return conclude(request, checks, guard)


def direct(found: Tables, given: Tables, info: Mapping[str, Any]) -> list[Check]:
    """Requirements that need no reference: what the tables must be, given the input."""
    expected = expected_tables(given, info)
    checks = [_disjoint(found), _as_given(found, given, info)]
    for name in EVENT_TABLES:
        mine, right = found[name], expected[name]
        checks.append(_close(f"{name}: rows", len(mine), len(right), YIELD))
        weights = mine["weight"].to_numpy(float), right["weight"].to_numpy(float)
        zero = len(mine) > 0 and not np.abs(weights[0]).sum()
        checks.append(
            Check(f"{name}: not all weights zero", not zero or not weights[1].any(),
                  "a weight that is not 0", "all weights are 0" if zero else "there is one")
        )  # fmt: skip
        processes = mine["process"], right["process"]
        for process in sorted({*processes[0].unique(), *processes[1].unique()}):
            sums = [
                float(w[(p == process).to_numpy(bool)].sum())
                for w, p in zip(weights, processes, strict=True)
            ]
            checks.append(_close(f"{name}: sum of weights of {process}", sums[0], sums[1], YIELD))
    for name in ("signal", "background"):
        negative = [int((t[name]["weight"].to_numpy(float) < 0).sum()) for t in (found, expected)]
        checks.append(_close(f"{name}: events of negative weight", negative[0], negative[1], YIELD))
    unit = found["data"]["weight"].to_numpy(float)
    checks.append(
        Check("data: weight of an event", bool(np.all(unit == 1)), 1.0,
              float(unit[unit != 1][0]) if np.any(unit != 1) else 1.0)
    )  # fmt: skip
    if info["channel"] == "hyy":
        checks += _scale_factors(found, info)
    return checks


def _disjoint(found: Tables) -> Check:
    rows = [np.unique(codes) for codes in row_codes([found[n] for n in EVENT_TABLES], ROW)]
    shared = int((np.bincount(np.concatenate(rows)) > 1).sum())
    return Check("regions are disjoint", shared == 0, 0, shared, "events in more than one table")


def _as_given(found: Tables, given: Tables, info: Mapping[str, Any]) -> Check:
    """Every row is a row of the input, once, with the input's observable and features."""
    columns = [info["observable"], *info["features"]]
    inputs = Stacked({s: given[s] for s in sorted(given)}, [*ROW, *columns])
    mine = Stacked({n: found[n] for n in EVENT_TABLES}, [*ROW, *columns])
    matching = match_rows(mine, inputs, ROW)
    problems = []
    if len(matching.only_found):
        problems.append(f"{len(matching.only_found)} rows are not in the input, or twice here")
    for column in columns:
        a = mine[column].to_numpy()[matching.found]
        b = inputs[column].to_numpy()[matching.expected]
        changed = int(differing(a, b, LIMITS.float32).sum())
        if changed:
            problems.append(f"{column} differs from the input in {changed} rows")
    said = "rows of the input, values unchanged"
    return Check("rows and values are the input's", not problems, said, "; ".join(problems) or said)


def _scale_factors(found: Tables, info: Mapping[str, Any]) -> list[Check]:
    """The background stands for N_TI(SB) N_NTI(window) / N_NTI(SB) events, the control for SF1."""
    low, high = info["signal_window"]
    data = found["data"][info["observable"]].to_numpy(float)
    control = found["control"][info["observable"]].to_numpy(float)
    n_ti = sum(int(((data >= a) & (data <= b)).sum()) for a, b in info["sidebands"])
    n_nti = len(found["background"])
    n_window = int(((control >= low) & (control <= high)).sum())
    sf1 = n_ti / n_nti if n_nti else 0.0
    in_window = sf1 * n_window
    total = float(found["background"]["weight"].sum())
    title = "background: sum of weights is N_TI(SB) N_NTI(window) / N_NTI(SB)"
    checks = [_close(title, total, in_window, IDENTITY_OF_SUMS)]
    for name in ("background", "control"):
        shape = float(found[name]["control_weight"].sum())
        right = sf1 * len(found[name])
        checks.append(_close(f"{name}: control weight is SF1", shape, right, IDENTITY_OF_SUMS))
    return checks


def blinding(request: JudgeRequest, given: Tables, info: Mapping[str, Any]) -> list[Check]:
    """What a solver may see holds no row that was hidden from it, and no blinded tight data."""
    seen = {n: opened(request.output / "output" / f"{n}.parquet") for n in EVENT_TABLES}
    context = replace(request.context(sealed=False), stored=True)
    visible = _names(CONTRACT.arguments(context)["tables"].stored)
    everything = _names(given)
    hidden = Picked(everything, match_rows(everything, visible, ROW).only_found)
    shown, blinded = row_codes([_names(seen), hidden], ROW)
    found = len(np.intersect1d(shown, blinded))
    checks = [Check("blinded rows: hidden events in output/", found == 0, 0, found)]
    sealed = {name: opened(request.found(f"{name}.parquet")) for name in _UNBLINDED}
    other = [name for name in _UNBLINDED if not exact(name, seen[name], sealed[name]).passed]
    said = ", ".join(other) or "none"
    checks.append(Check("tables that change when blinded rows are there", not other, "none", said))
    if info["channel"] == "hyy" and not request.settings.unblind:
        mass, (low, high) = seen["data"][info["observable"]].to_numpy(float), info["blind"]
        inside = int(((mass > low) & (mass < high)).sum())
        checks.append(Check("blinded rows: tight data in the window", inside == 0, 0, inside))
    return checks


def _names(tables: Tables) -> Stacked:
    """The identity of every row of every table (of converted tables by their sample's name)."""
    return Stacked(dict(sorted(tables.items())), ROW)


def ladder(found: Tables, expected: Tables, info: Mapping[str, Any]) -> list[Check]:
    """The rungs against the reference's tables; physics is the expected significance."""
    checks = []
    for name in EVENT_TABLES:
        checks += compare_tables(name, found[name], expected[name], ROW, "weight")
    z, right = inclusive(found, info), inclusive(expected, info)
    relative = PHYSICS * right
    return [
        *checks,
        Check("expected significance without categories", abs(z - right) <= relative, right, z,
              f"allowed: {PHYSICS:.0%}", "physics"),
    ]  # fmt: skip


def inclusive(tables: Tables, info: Mapping[str, Any]) -> float:
    """Asimov significance of all events in the signal window."""
    signal = _in_window(tables["signal"], info)
    if info["channel"] == "hyy":
        return asimov_z(signal, float(tables["background"]["weight"].sum()))
    return asimov_z(signal, _in_window(tables["background"], info))


def _in_window(table: Table, info: Mapping[str, Any]) -> float:
    mass, (low, high) = table[info["observable"]].to_numpy(float), info["signal_window"]
    return float(table["weight"].to_numpy(float)[(mass >= low) & (mass <= high)].sum())


def fabrication(solution: Solution, tables: Tables, info: Mapping[str, Any]) -> list[GuardCheck]:
    """The solution on a part of its input, and on that part changed in three known ways."""
    part = {n: rows_at(t, spread(len(t), GUARD_ROWS)) for n, t in tables.items()}
    simulated = [n for n in part if info["samples"][n]["kind"] == "mc"]
    given: dict[str, Any] = {"tables": part, "info": info}
    first = solution.ask(given)
    if first.failed:
        return [first.guard("a part of the input")]
    heavier = {
        n: t.assign(weight=2 * t["weight"]) if n in simulated else t for n, t in part.items()
    }
    more = {**info, "luminosity_fb": 1.5 * info["luminosity_fb"]}
    observable = info["observable"]
    moved = {n: t.assign(**{observable: t[observable] + MASS_SHIFT}) for n, t in part.items()}
    questions: dict[str, dict[str, Any]] = {
        "a part of the input": given,
        "every third row dropped": {
            "tables": {n: t[every_third(len(t))].reset_index(drop=True) for n, t in part.items()},
            "info": info,
        },
        "simulated weights doubled, luminosity raised by half": {"tables": heavier, "info": more},
        f"every mass moved by {MASS_SHIFT:g} GeV": {"tables": moved, "info": info},
    }
    guard = [same_twice(solution, given, first)]
    for question, arguments in questions.items():
        answer = first if arguments is given else solution.ask(arguments)
        if answer.failed:
            guard.append(answer.guard(question))
            continue
        expected = expected_tables(arguments["tables"], arguments["info"])
        guard += [_follows(question, n, answer.product[n], expected[n]) for n in EVENT_TABLES]
    return guard


def _follows(question: str, name: str, found: pd.DataFrame, expected: pd.DataFrame) -> GuardCheck:
    matching = match_rows(found, expected, ROW)
    sums = float(found["weight"].sum()), float(expected["weight"].sum())
    rows_right = matching.unpaired <= YIELD * len(expected)
    sums_right = abs(sums[0] - sums[1]) <= YIELD * abs(sums[1]) + 1e-12
    return GuardCheck(
        f"{question}: {name}",
        bool(rows_right and sums_right),
        f"{len(expected)} rows of weight {sums[1]:.6g}",
        f"{len(found)} rows of weight {sums[0]:.6g}",
        f"{len(matching.only_expected)} rows missing, {len(matching.only_found)} too many",
    )


def _close(name: str, found: float, expected: float, relative: float) -> Check:
    passed = abs(found - expected) <= relative * abs(expected) + 1e-12
    return Check(name, bool(passed), expected, found, f"allowed: {relative:.1g} of it")
