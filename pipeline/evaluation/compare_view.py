"""A comparison as people read it: a table in the terminal with its notes, or JSON."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from pipeline.evaluation.compare import Comparison
from pipeline.evaluation.intervals import Amount, Rate
from pipeline.files import to_json


def show(comparison: Comparison, console: Console, as_json: bool) -> None:
    """Print a comparison: a table and notes, or JSON."""
    if as_json:
        print(to_json(comparison.to_json()), end="")
        return
    console.print(f"A  {comparison.a}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"B  {comparison.b}", highlight=False, markup=False, soft_wrap=True)
    console.print(table_of(comparison))
    console.print(
        "rates and differences with 95 % intervals (Wilson; Newcombe for pairs); p: exact McNemar, "
        "of single stages corrected by Holm; tokens and cost: means per rated cell",
        style="dim", highlight=False,
    )  # fmt: skip
    for note in comparison.notes:
        console.print(f"! {note}", style="yellow", highlight=False, markup=False)


def table_of(comparison: Comparison) -> Table:
    """The table for the terminal."""
    table = Table("stage", "n", "A", "B", "A - B", "p", "tokens A", "B", "cost A", "B")
    for column in table.columns[1:]:
        column.justify = "right"
    for stage in comparison.stages:
        r = stage.rates
        table.add_row(
            r.stage, str(r.n), _rate(r.rate_a), _rate(r.rate_b),
            _limits(r.difference, r.low, r.high, "+"), f"{r.p_holm:.3g}" if r.n else "-",
            _amount(stage.spent_a.tokens, ".0f"), _amount(stage.spent_b.tokens, ".0f"),
            _amount(stage.spent_a.cost, ".3g"), _amount(stage.spent_b.cost, ".3g"),
        )  # fmt: skip
    return table


def _rate(found: Rate) -> str:
    return _limits(found.value, found.low, found.high)


def _limits(value: float | None, low: float | None, high: float | None, sign: str = "") -> str:
    if value is None or low is None or high is None:
        return "-"
    return f"{value:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"


def _amount(found: Amount, form: str) -> str:
    return "-" if found.value is None else f"{found.value:{form}}"
