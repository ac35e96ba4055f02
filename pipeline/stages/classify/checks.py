"""How classify is judged: AUC against the reference, no leakage, no sculpting of the mass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from pipeline.judge.columns import Stacked, Table, opened, rows_at
from pipeline.judge.guard import alike, spread
from pipeline.judge.judging import conclude
from pipeline.judge.ladder import exact, permutation
from pipeline.judge.matching import match_rows
from pipeline.judge.regions import ROW
from pipeline.judge.request import JudgeRequest
from pipeline.judge.rerun import Answer, FrozenSolution, Solution
from pipeline.judge.verdict import Check, GuardCheck, Verdict
from pipeline.physics.roc import roc_curve
from pipeline.physics.sculpting import sculpting
from pipeline.stages.classify.contract import CONTRACT
from pipeline.stages.classify.scored import IS_CONTROL, ScoredOnly
from pipeline.stages.tables import EVENT_TABLES

Tables = Mapping[str, Table]
Values = npt.NDArray[np.float64]
Question = tuple[
    Callable[[Mapping[str, Any]], dict[str, Any]], Callable[[Answer, Answer], list[GuardCheck]]
]
"""How the input is changed, and what the answer must be then."""

AUC_STATISTICAL = 0.005
"""The same learner with other random numbers stays within this."""
AUC_PHYSICS = 0.02
"""An AUC lower by more costs some 2 % of significance, the size of the luminosity's uncertainty."""
RANK_CORRELATION = 0.95
"""Statistical rung: the events are put in the same order."""
SCULPTING = 0.10
"""Share of the background that may move in mass between low and high scores, beyond statistics."""
SCULPTING_QUANTILE = 0.8
"""The cut for it: the fifth of the background with the highest scores."""
GUARD_ROWS = 5_000
"""Rows per table that the guard asks about: an AUC of pure noise is then 0.500 ± 0.006."""
LEAKAGE = 0.01
"""An AUC with shuffled labels may leave 0.5 by this much, and by four standard deviations."""
SAME = 1e-9
"""Two scores of one event by one model."""
NEARLY_SAME = 0.02
"""Mean change of the scores if only the order of training rows changed."""
ORDER_CORRELATION = 0.8
"""The same, as rank correlation: folds by row number are allowed, scores by row number are not."""
STORED = 0.9
"""Rank correlation at which scores did not notice that the events got the features of others."""


def judge(request: JudgeRequest) -> Verdict:
    """The verdict on classify; scores of the sealed pass, with the blinded rows, are compared."""
    found = {name: opened(request.found(f"{name}.parquet")) for name in EVENT_TABLES}
    seen = {n: opened(request.output / "output" / f"{n}.parquet") for n in EVENT_TABLES}
    checks = [*direct(found, request.settings.channel.observable), both_passes(seen, found)]
    guard: list[GuardCheck] = []
    if request.solution_path is not None:
        solution = FrozenSolution.of(request, CONTRACT)
        context = replace(request.context(sealed=True), stored=True)
        guard = fabrication(solution, CONTRACT.arguments(context))
    if not request.is_reference:
        expected = {name: opened(request.expected(f"{name}.parquet")) for name in found}
        checks += ladder(found, expected)
    return conclude(request, checks, guard)


def direct(found: Tables, observable: str) -> list[Check]:
    """Requirements that need no reference: the scores differ, and do not bend the mass."""
    scores = np.concatenate([found[name]["score"].to_numpy(float) for name in EVENT_TABLES])
    values = len(np.unique(scores))
    checks = [Check("scores take more than one value", values > 1, "more than 1", values)]
    both = {name: found[name] for name in ("background", "control")}
    stacked = Stacked(both, [observable, "score", "control_weight"])
    mass, score, weight = (stacked[name].to_numpy(float) for name in stacked.columns)
    cut = float(np.quantile(score, SCULPTING_QUANTILE)) if len(score) else 0.0
    sides = [weight[score >= cut].sum(), weight[score < cut].sum()]
    if min(sides) > 0:
        bent = sculpting(mass, score, weight, cut)
        allowed = SCULPTING + bent.expected + 3 * bent.spread
        checks.append(
            Check("the mass of background is not sculpted", bent.distance <= allowed,
                  f"a distance of at most {allowed:.4f}", bent.distance,
                  f"cut at {cut:.3f}; statistics alone give {bent.expected:.4f}")
        )  # fmt: skip
    return checks


def both_passes(seen: Tables, sealed: Tables) -> Check:
    """Events of both passes have one score: who looks at the data to be scored is caught here."""
    changed = []
    for name in EVENT_TABLES:
        pairs = match_rows(seen[name], sealed[name], ROW)
        a = seen[name]["score"].to_numpy(float)[pairs.found]
        b = sealed[name]["score"].to_numpy(float)[pairs.expected]
        if np.any(np.abs(a - b) > SAME):
            changed.append(name)
    said = ", ".join(changed) or "none"
    title = "no training on data: scores that change when blinded rows are there"
    return Check(title, not changed, "none", said)


def ladder(found: Tables, expected: Tables) -> list[Check]:
    """The rungs: same tables, same order of the events by score, same power of separation."""
    checks = [exact(name, found[name], expected[name]) for name in EVENT_TABLES]
    matched = {name: match_rows(found[name], expected[name], ROW) for name in EVENT_TABLES}
    for name in EVENT_TABLES:
        checks.append(permutation(name, found[name], expected[name], matched[name]))
        pairs = matched[name]
        if len(pairs.expected) < 3:
            continue
        mine = found[name]["score"].to_numpy(float)[pairs.found]
        right = expected[name]["score"].to_numpy(float)[pairs.expected]
        alike = rank_correlation(mine, right)
        said = f"at least {RANK_CORRELATION}"
        checks.append(
            Check(f"{name}: rank correlation of scores", alike >= RANK_CORRELATION, said, alike,
                  f"{len(right)} common events", "statistical")
        )  # fmt: skip
    auc, right_auc = area(found), area(expected)
    near = abs(auc - right_auc) <= AUC_STATISTICAL
    title, allowed = "area under the ROC curve", f"allowed: {AUC_STATISTICAL} either way"
    checks.append(Check(title, near, right_auc, auc, allowed, "statistical"))
    enough, allowed = auc >= right_auc - AUC_PHYSICS, f"allowed: {AUC_PHYSICS} lower"
    checks.append(Check(title, enough, right_auc, auc, allowed, "physics"))
    return checks


def area(tables: Tables) -> float:
    """Area under the ROC curve with the tables' signed weights; NaN where a class has none."""
    signal, background = tables["signal"], tables["background"]
    if signal["weight"].sum() <= 0 or background["weight"].sum() <= 0:
        return float("nan")
    return roc_curve(
        signal["score"], signal["weight"], background["score"], background["weight"]
    ).area


def rank_correlation(first: Values, second: Values) -> float:
    """Spearman's rank correlation; 0 if one of the two does not vary at all."""
    a, b = rankdata(first), rankdata(second)
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.sum(a * b)) / norm if norm else 0.0


def fabrication(solution: Solution, arguments: Mapping[str, Any]) -> list[GuardCheck]:
    """The solution on a part of its input, and on that part changed in four known ways."""
    part = {**arguments}
    for name in ("signal", "background", "data"):
        table, rows = arguments[name], spread(len(arguments[name]), GUARD_ROWS)
        part[name] = table.take(rows) if isinstance(table, ScoredOnly) else rows_at(table, rows)
    first = solution.ask(part)
    if first.failed:
        return [first.guard("a part of the input")]
    second = solution.ask(part)
    guard = [alike(first, second)]
    noise = 0.0 if second.failed else _moved(first, second)
    questions: dict[str, Question] = {
        "rows in another order": (_reversed, _order),
        "columns that are no features scrambled": (_scrambled, partial(_unmoved, noise=noise)),
        "features dealt out anew": (_shuffled, _unlearned),
        "every other row of data dropped": (_halved, _untrained),
    }
    for question, (change, compare) in questions.items():
        answer = solution.ask(change(part))
        guard += [answer.guard(question)] if answer.failed else compare(first, answer)
    return guard


def _reversed(part: Mapping[str, Any]) -> dict[str, Any]:
    turned = {n: part[n].iloc[::-1].reset_index(drop=True) for n in ("signal", "background")}
    return {**part, **turned}


def _order(first: Answer, answer: Answer) -> list[GuardCheck]:
    before = _classes(first)
    after = np.concatenate([_score(answer, n)[::-1] for n in ("signal", "background")])
    same, moved = rank_correlation(before, after), float(np.abs(before - after).mean())
    return [
        GuardCheck("scores belong to their rows in any order", same >= ORDER_CORRELATION,
                   f"a rank correlation of at least {ORDER_CORRELATION}", same,
                   f"mean change {moved:.4f}")
    ]  # fmt: skip


def _scrambled(part: Mapping[str, Any]) -> dict[str, Any]:
    """All columns that a score must not use, dealt out anew over the events of all tables."""
    names = ("signal", "background", "data")
    kept = {*ROW, *part["features"], "weight", "process", "control_weight", IS_CONTROL}
    common = set.intersection(*(set(part[n].columns) for n in names)) - kept
    rows = pd.concat([part[n][sorted(common)] for n in names], ignore_index=True)
    dealt = rows.iloc[np.random.default_rng(1).permutation(len(rows))].reset_index(drop=True)
    return {**part, **_dealt({n: part[n] for n in names}, dealt)}


def _unmoved(first: Answer, answer: Answer, noise: float) -> list[GuardCheck]:
    """What changes by itself, with the same input, is no use of the columns: twice `noise`."""
    moved, allowed = _moved(first, answer), NEARLY_SAME + 2 * noise
    said = f"a mean change of at most {allowed:.4g}"
    return [GuardCheck("scores ignore scrambled columns", moved <= allowed, said, moved)]


def _moved(first: Answer, answer: Answer) -> float:
    """Mean change of the scores of signal and background."""
    return float(np.abs(_classes(first) - _classes(answer)).mean())


def _shuffled(part: Mapping[str, Any]) -> dict[str, Any]:
    """Features dealt out anew over signal and background: the labels no longer belong to them."""
    names = ("signal", "background")
    columns = list(part["features"])
    rows = pd.concat([part[n][columns] for n in names], ignore_index=True)
    dealt = rows.iloc[np.random.default_rng(2).permutation(len(rows))].reset_index(drop=True)
    return {**part, **_dealt({n: part[n] for n in names}, dealt)}


def _unlearned(first: Answer, answer: Answer) -> list[GuardCheck]:
    """With shuffled labels there is nothing to learn, and the first scores are worth nothing."""
    signal, background = _score(answer, "signal"), _score(answer, "background")
    n, m = len(signal), len(background)
    allowed = LEAKAGE + 4 * float(np.sqrt((n + m + 1) / (12 * n * m)))
    auc = roc_curve(signal, np.ones(n), background, np.ones(m)).area
    kept = abs(rank_correlation(_classes(first), _classes(answer)))
    values = len(np.unique(_classes(answer)))
    return [
        GuardCheck("shuffled labels give an AUC of 0.5", abs(auc - 0.5) <= allowed, 0.5, auc,
                   f"allowed: {allowed:.4f}"),
        GuardCheck("scores are computed from the features", kept <= STORED and values > 1,
                   f"a rank correlation with the first scores of at most {STORED}", kept,
                   f"{values} different scores"),
    ]  # fmt: skip


def _halved(part: Mapping[str, Any]) -> dict[str, Any]:
    return {**part, "data": part["data"].iloc[::2].reset_index(drop=True)}


def _untrained(first: Answer, answer: Answer) -> list[GuardCheck]:
    """Data are scored and never trained on: fewer of them change no score."""
    both = _as_given(first)[::2], _as_given(answer)
    pairs = [*((_score(first, n), _score(answer, n)) for n in ("signal", "background")), both]
    changed = [a.shape != b.shape or bool(np.any(np.abs(a - b) > SAME)) for a, b in pairs]
    titles = ("signal", "background", "data that stayed")
    said = ", ".join(t for t, c in zip(titles, changed, strict=True) if c) or "no score"
    return [GuardCheck("no training on data", not any(changed), "no score", said, "scores changed")]


def _dealt(tables: Mapping[str, pd.DataFrame], dealt: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables with the columns of `dealt`, which holds as many rows as all of them together."""
    result, start = {}, 0
    for name, table in tables.items():
        rows = dealt.iloc[start : start + len(table)].reset_index(drop=True)
        result[name] = table.assign(**{column: rows[column] for column in dealt.columns})
        start += len(table)
    return result


def _score(answer: Answer, name: str) -> Values:
    return np.asarray(answer.product[name]["score"].to_numpy(float))


def _classes(answer: Answer) -> Values:
    return np.concatenate([_score(answer, "signal"), _score(answer, "background")])


def _as_given(answer: Answer) -> Values:
    """Scores of the argument `data` in its order: data rows, then control rows."""
    return np.concatenate([_score(answer, "data"), _score(answer, "control")])
