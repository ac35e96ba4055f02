"""Tables that compare: repeatability, pairs of configurations, physics, kinds of failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.distribution import errors_of, study_kind
from pipeline.evaluation.intervals import Amount
from pipeline.evaluation.measures import ALL_STAGES, Measures
from pipeline.evaluation.pairs import DoubleCellError, PairedRates, all_pairs
from pipeline.evaluation.repeating import Share
from pipeline.report.notation import DASH, signed
from pipeline.sweep_page.leaderboard import about_row, of_page, outcomes_by_place
from pipeline.sweep_page.table import (
    Column,
    Entry,
    Row,
    Table,
    quantity,
    rate_entry,
    share_entry,
    with_half,
)

MOST_COMPARED = 40
"""Configurations that are all compared with each other."""
MOST_PAIRS = 300
"""Rows of comparisons over all stages, and at single stages, each."""
SYMBOLS = {"auc": "AUC", "significance": "Z", "mu": "μ", "selected": "selected events"}


def failures_table(cells: Sequence[Cell]) -> Table:
    """The model's failures of the whole sweep, by category."""
    found = errors_of(cells).by_category
    rows = tuple(
        Row(
            (
                Entry(name),
                Entry(study_kind(name)),
                Entry(str(rate.passed), rate.passed),
                rate_entry(rate),
            )
        )
        for name, rate in found.items()
    )
    columns = (
        Column("category", numeric=False),
        Column("kind of arXiv 2512.07785", numeric=False),
        Column("failures"),
        Column("share"),
    )
    caption = "Of all configurations together, with the published study's kind that each refines."
    return Table("kinds", "Failures that count against a model", caption, columns, rows)


def repeatability_table(
    found: Sequence[Measures], cells: Sequence[Cell], asked: Mapping[str, str]
) -> Table:
    """Shares of pairs of trials that agree, per configuration, and per stage for the filter.

    `asked` is what model.deterministic was for each configuration; '' where no server answers.
    """
    seen = outcomes_by_place(cells)
    shown, note = of_page(found)
    rows = tuple(_repeated(m, about_row(m, seen, not note), asked.get(m.config, "")) for m in shown)
    columns = (
        Column("configuration", numeric=False),
        Column("model.deterministic", "whether a server for the same bits was asked for", False),
        Column("same code", "pairs of trials with the same frozen code"),
        Column("same output", "pairs of trials with the same bits of output"),
        Column("equal on the ladder", "the same bits, or both within the rung statistical"),
        Column("pairs"),
        Column("by construction", "pairs whose output was linked, not computed twice"),
    )
    caption = (
        "Share of pairs of trials of the same configuration and stage that agree, with 95 % "
        "intervals. A trial without code or output agrees with no other."
    )
    return Table("repeatability", "Agreement of repeated trials", caption, columns, rows, note)


def pairs_table(cells: Sequence[Cell]) -> Table:
    """Every two configurations, the smallest corrected p values first."""
    configs = {c.config for c in cells if c.outcome != "reference" and c.model != "reference"}
    columns = (
        Column("A", numeric=False),
        Column("B", numeric=False),
        Column("stage", numeric=False),
        Column("pairs", "trials that both have"),
        Column("A", "success of A in these trials"),
        Column("B", "success of B in these trials"),
        Column("A − B", "difference with Newcombe's 95 % interval"),
        Column("only A", "passed by A alone"),
        Column("only B", "passed by B alone"),
        Column("p", "exact McNemar test, two-sided", up=True),
        Column("p corrected", "by Holm, for the number of comparisons", up=True),
    )
    rows: list[PairedRates] = []
    note = "There are no two configurations to compare."
    if len(configs) > MOST_COMPARED:
        note = (
            f"{len(configs)} configurations are too many to compare every two on this page (at "
            f"most {MOST_COMPARED}); `ladon compare A B` compares two."
        )
    elif len(configs) > 1:
        try:
            rows, note = list(all_pairs(cells)), ""
        except DoubleCellError as error:
            note = f"No comparison: {error}"
    whole = _smallest([r for r in rows if r.stage == ALL_STAGES])
    single = _smallest([r for r in rows if r.stage != ALL_STAGES])
    if left := len(rows) - len(whole) - len(single):
        note = (
            f"{left} comparisons with larger p values are left out; `ladon compare A B` has them."
        )
    caption = (
        "The same stages and trials of two configurations; p of equal success by McNemar's exact "
        "test, corrected by Holm for the number of comparisons (over all stages, and at single "
        "stages). Significant differences (corrected p < 0.05) are bold."
    )
    models = {c.config: c.model for c in cells}
    shown = tuple(_pair(r, models) for r in (*whole, *single))
    return Table("pairs", "Every two configurations", caption, columns, shown, note)


def physics_table(found: Sequence[Measures], cells: Sequence[Cell]) -> Table:
    """Distance of AUC, significance, μ and selected events from the reference's."""
    seen = outcomes_by_place(cells)
    rows = tuple(
        Row(
            (
                Entry(m.config),
                Entry(m.stage),
                Entry(SYMBOLS.get(name, name)),
                Entry(str(d.absolute.n), d.absolute.n),
                _difference(d.absolute),
                _difference(d.relative, 100.0),
                Entry(_plus(d.largest, quantity(d.largest)), abs(d.largest)),
            ),
            {**about_row(m, seen, stage=False), "only": m.stage},
        )
        for m in found
        if m.stage != ALL_STAGES
        for name, d in m.distances.items()
    )
    columns = (
        Column("configuration", numeric=False),
        Column("stage", numeric=False),
        Column("quantity", numeric=False),
        Column("n", "outputs, also of trials that failed"),
        Column("mean difference", "solution minus reference, ± half of its 95 % interval"),
        Column("relative [%]", "the same, relative to the reference"),
        Column("largest", "the difference furthest from 0; sorts by its size", up=True),
    )
    caption = "Solution minus reference, over all trials with an output, also those that failed."
    note = "" if rows else "No output with a quantity to compare is there yet."
    return Table("physics", "Physics of the outputs", caption, columns, rows, note)


def _repeated(m: Measures, about: dict[str, str], asked: str) -> Row:
    r = m.repeatability
    entries = (
        Entry(m.config),
        Entry(asked or DASH, hint="" if asked else "no server answers"),
        _agree(r.code),
        _agree(r.output),
        _agree(r.ladder),
        Entry(str(r.output.pairs), r.output.pairs),
        Entry(str(r.by_construction), r.by_construction, f"{r.shared} outputs were linked"),
    )
    return Row(entries, about)


def _agree(share: Share) -> Entry:
    return share_entry(share.value, share.low, share.high, f"{share.agree} of {share.pairs} pairs")


def _smallest(rows: Sequence[PairedRates]) -> list[PairedRates]:
    return sorted(rows, key=lambda r: (r.p_holm, r.p, r.a, r.b, r.stage))[:MOST_PAIRS]


def _pair(r: PairedRates, models: dict[str, str]) -> Row:
    strong = "strong" if r.p_holm < 0.05 else ""
    limits = "" if r.low is None or r.high is None else f"{signed(r.low)} to {signed(r.high)}"
    difference = Entry(DASH) if r.difference is None else Entry(
        signed(r.difference), r.difference, below=limits, tone=strong
    )  # fmt: skip
    entries = (
        Entry(r.a),
        Entry(r.b),
        Entry("all" if r.stage == ALL_STAGES else r.stage),
        Entry(str(r.n), r.n, f"{r.unpaired} trials of one of the two have no partner"),
        rate_entry(r.rate_a),
        rate_entry(r.rate_b),
        difference,
        Entry(str(r.only_a), r.only_a),
        Entry(str(r.only_b), r.only_b),
        Entry(_p(r.p), r.p),
        Entry(_p(r.p_holm), r.p_holm, tone=strong),
    )
    return Row(
        entries,
        {
            "text": f"{r.a} {r.b}",
            "models": f"{models[r.a]}\n{models[r.b]}",
            "stage": "" if r.stage == ALL_STAGES else r.stage,
        },
    )


def _difference(amount: Amount, times: float = 1.0) -> Entry:
    if amount.value is None:
        return Entry(DASH, hint="the reference is 0")
    value = amount.value * times
    if amount.high is None:
        return Entry(_plus(value, quantity(value)), value, f"mean of {amount.n}")
    text, half = with_half(value, (amount.high - amount.value) * times)
    return Entry(_plus(value, text), value, f"mean of {amount.n}", half)


def _plus(value: float, text: str) -> str:
    """The text of a difference, with a sign where it is positive."""
    return f"+{text}" if value > 0 else text


def _p(value: float) -> str:
    if value >= 1e-3:
        return f"{value:.3f}"
    return quantity(value, 2)
