"""The leaderboard: a row per configuration, over all stages and for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.measures import ALL_STAGES, Measures
from pipeline.evaluation.passing import KS
from pipeline.evaluation.spending import Spending
from pipeline.report.notation import DASH
from pipeline.sweep_page.table import (
    Column,
    Entry,
    Row,
    Table,
    amount_entry,
    rate_entry,
    share_entry,
)

SHOWN_K = 5
"""The largest k that the leaderboard shows pass@k for."""
RUNG_COLUMNS = ("exact", "permutation", "statistical")
"""Rungs beside the success itself, which is the last one."""
MOST_SINGLE = 100
"""Configurations of which single stages have rows of their own."""
CAPTION = (
    "Success is the share of trials that passed at any rung of the ladder, with Wilson's 95 % "
    "interval (below, and drawn); exact, permutation and statistical are the shares that reached "
    "that rung or a higher one. Trials that the harness, the endpoint, the infrastructure or the "
    "data stopped are in no rate. Means are per trial of a stage, ± half of their 95 % interval."
)
_SPENT = (
    ("rounds", "rounds", "rounds of supervisor and coder"),
    ("calls", "api_calls", "calls to the model"),
    ("tokens", "tokens", "tokens, prompt and completion together"),
    ("wall [s]", "wall_s", "seconds of dialogue and execution"),
    ("GPU [s]", "gpu_s", "GPU-seconds, where a server reports them"),
    ("energy [J]", "energy_j", "energy, where a server reports it"),
    ("cost", "cost", "cost, by the prices of the model's configuration or GPU-hours"),
)
_OPTIONAL = ("energy_j",)


def leaderboard(found: Sequence[Measures], cells: Sequence[Cell]) -> Table:
    """Best first; rows of single stages are there for the filter."""
    k = shown_k(found)
    chained = any(m.not_reached for m in found)
    spent = [s for s in _SPENT if s[1] not in _OPTIONAL or _known(found, s[1])]
    columns = [
        Column("configuration", numeric=False),
        Column("success", "share of trials that passed, at any rung"),
        *([Column("end to end", "trials that were not reached count as failed")] * chained),
        *(Column(rung, f"reached the rung {rung} or a higher one") for rung in RUNG_COLUMNS),
        *([Column(f"pass@{k}", f"at least one of {k} trials passes")] if k else []),
        Column("n", "trials that count"),
        Column("not counted", "stopped by harness, endpoint, infrastructure or data", up=True),
        *(Column(title, about, up=True) for title, _, about in spent),
        Column("lost work", "share of calls that went into rounds not accepted", up=True),
        Column("same output", "share of pairs of trials with the same bits of output"),
        Column("hints broken", "share of trials that did not follow a hint", up=True),
    ]
    seen = outcomes_by_place(cells)
    found, note = of_page(found)
    ordered = sorted(found, key=lambda m: -(m.passed.value if m.passed.value is not None else -1))
    rows = [
        Row(_entries(m, k, chained, [s[1:] for s in spent]), about_row(m, seen, not note))
        for m in ordered
    ]
    return Table(
        "leaderboard", "Configurations, best first", CAPTION, tuple(columns), tuple(rows), note
    )


def of_page(found: Sequence[Measures]) -> tuple[Sequence[Measures], str]:
    """The measures that get a row; with very many configurations those over all stages alone."""
    whole = [m for m in found if m.stage == ALL_STAGES]
    if len(whole) <= MOST_SINGLE:
        return found, ""
    return whole, (
        f"With more than {MOST_SINGLE} configurations the rows are over all stages, whatever the "
        "filter says; the heat map has single stages."
    )


def shown_k(found: Sequence[Measures]) -> int | None:
    """The largest k up to SHOWN_K that a configuration has pass@k for, beyond 1."""
    known = {k for m in found if m.stage == ALL_STAGES for k in m.pass_at}
    return max((k for k in KS if 1 < k <= SHOWN_K and k in known), default=None)


def outcomes_by_place(cells: Sequence[Cell]) -> Mapping[tuple[str, str], set[str]]:
    """(configuration, stage or ALL_STAGES) -> the outcomes that occur there."""
    seen: dict[tuple[str, str], set[str]] = {}
    for cell in cells:
        for stage in (cell.stage, ALL_STAGES):
            seen.setdefault((cell.config, stage), set()).add(cell.outcome)
    return seen


def about_row(
    m: Measures, seen: Mapping[tuple[str, str], set[str]], stage: bool = True
) -> dict[str, str]:
    """The data attributes by which the filters find a row."""
    about = {
        "text": m.config,
        "models": m.model,
        "outcomes": " ".join(sorted(seen.get((m.config, m.stage), ()))),
    }
    if stage:
        about["stage"] = "" if m.stage == ALL_STAGES else m.stage
    return about


def _entries(
    m: Measures, k: int | None, chained: bool, spent: Sequence[tuple[str, str]]
) -> tuple[Entry, ...]:
    stopped = sum(m.not_rated.values())
    why = ", ".join(f"{whose}: {n}" for whose, n in m.not_rated.items()) or "none"
    output = m.repeatability.output
    lost = m.spending.calls_lost
    return (
        Entry(m.config, below="scripted" if m.scripted else ""),
        rate_entry(m.passed, drawn=True),
        *([rate_entry(next(reversed(m.end_to_end.values())))] * chained),
        *(rate_entry(m.success[rung]) for rung in RUNG_COLUMNS),
        *([_pass_at(m, k)] if k else []),
        Entry(str(m.rated), m.rated, f"{m.cells} in all, {m.missing} not computed yet"),
        Entry(str(stopped) if stopped else DASH, stopped, why, tone="bad" if stopped else "muted"),
        *(_spent(m.spending, name, about) for name, about in spent),
        share_entry(lost.value, lost.low, lost.high, "calls of rounds that were not accepted"),
        share_entry(output.value, output.low, output.high, f"{output.agree} of {output.pairs}"),
        rate_entry(m.against_hints),
    )


def _pass_at(m: Measures, k: int) -> Entry:
    found = m.pass_at.get(k)
    if found is None:
        return Entry(DASH, hint=f"fewer than {k} trials of a stage")
    every = "; ".join(f"pass@{n} {p.value:.3f}" for n, p in m.pass_at.items())
    return share_entry(found.value, found.low, found.high, every)


def _spent(spending: Spending, name: str, about: str) -> Entry:
    basis = f" ({spending.cost_basis})" if name == "cost" and spending.cost_basis else ""
    return amount_entry(getattr(spending, name), f"{about}{basis}")


def _known(found: Sequence[Measures], name: str) -> bool:
    return any(getattr(m.spending, name).value is not None for m in found)
