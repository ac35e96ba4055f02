"""A comparison as people read it: a table in the terminal with its notes, or JSON."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.evaluation.compare import Comparison
from pipeline.evaluation.intervals import Amount, Rate
from pipeline.evaluation.pairs import PairedRates
from pipeline.files import to_json


def show(comparison: Comparison, console: Console, as_json: bool) -> None:
    """Print a comparison: a table and notes, or JSON."""
    if as_json:
        print(to_json(comparison.to_json()), end="")
        return
    console.print(f"A  {comparison.a}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"B  {comparison.b}", highlight=False, markup=False, soft_wrap=True)
    console.print(table_of(comparison), highlight=False, markup=False)
    console.print(
        "rates and differences with 95 % intervals (Wilson; Newcombe for pairs); p: exact McNemar, "
        "of single stages corrected by Holm; tokens and cost: means per rated cell",
        style="dim", highlight=False,
    )  # fmt: skip
    for note in comparison.notes:
        console.print(f"! {note}", style="yellow", highlight=False, markup=False)


def table_of(comparison: Comparison) -> Table:
    """The table for the terminal, narrow enough for 80 columns: A above B at each stage."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in ("stage", "n"):
        table.add_column(name, no_wrap=True)
    for name in ("rate", "tokens", "cost", "A - B", "p"):
        table.add_column(name, no_wrap=True, justify="right")
    for stage in comparison.stages:
        r, a, b = stage.rates, stage.spent_a, stage.spent_b
        table.add_row(
            r.stage,
            str(r.n),
            f"A {_rate(r.rate_a)}\nB {_rate(r.rate_b)}",
            f"{_amount(a.tokens, '.0f')}\n{_amount(b.tokens, '.0f')}",
            f"{_amount(a.cost, '.3g')}\n{_amount(b.cost, '.3g')}",
            _difference(r),
            f"{r.p_holm:.3g}" if r.n else "-",
        )
    return table


def _rate(found: Rate) -> str:
    if found.value is None:
        return "-"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _difference(rates: PairedRates) -> str:
    if rates.difference is None:
        return "-"
    return f"{rates.difference:+.2f}\n[{rates.low:+.2f}, {rates.high:+.2f}]"


def _amount(found: Amount, form: str) -> str:
    return "-" if found.value is None else f"{found.value:{form}}"
