"""A plan as a person reads it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from pipeline.plan.amount import Amount
from pipeline.plan.estimate import Plan, Scope
from pipeline.plan.inventory import Inventory

NARROW = 1.001
"""What is known within a thousandth is said with a digit more: totals that somebody rounded."""
UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def show(plan: Plan, console: Console) -> None:
    """Print the plan: one column for what the channel reads, one for the whole release."""
    table = Table(
        title=f"{plan.channel} on {plan.data} ({plan.release}, {plan.skim}) at {plan.site}"
    )
    table.add_column("")
    for scope in plan.scopes:
        name = "the channel reads" if scope.name == "channel" else "the whole release"
        table.add_column(name, justify="right")
    for row in rows(plan):
        table.add_row(*row)
    console.print(table)
    for note in notes(plan):
        console.print(note, highlight=False, markup=False, soft_wrap=True)


def rows(plan: Plan) -> list[tuple[str, ...]]:
    """The lines of the table: a heading, then a cell per scope."""
    scopes = plan.scopes
    kinds = [kind for kind in ("data", "mc") if any(_of(s, kind) for s in scopes)]
    found: list[tuple[str, ...]] = [("files", *(_files(s) for s in scopes))]
    found += [
        (f"  {k}", *(f"{p.files:,}" if (p := _of(s, k)) else "" for s in scopes)) for k in kinds
    ]
    found += [("on disk", *(amount(s.everything.size) for s in scopes))]
    found += [
        (f"  {k}", *(amount(p.size) if (p := _of(s, k)) else "" for s in scopes)) for k in kinds
    ]
    found += [("events", *(amount(s.everything.events, "{:,.0f}") for s in scopes))]
    found += [(f"  {k}", *(_events(s, k) for s in scopes)) for k in kinds]
    return [
        *found,
        ("bytes to read", *(amount(s.read) for s in scopes)),
        ("chunks", *(amount(s.chunks, "{:,.0f}") for s in scopes)),
        ("jobs of convert", *(f"{s.jobs:,}" for s in scopes)),
        ("core-hours", *(amount(s.core_hours, "{:,.2g}") for s in scopes)),
        ("cores at a time", *(f"{s.cores:,}" for s in scopes)),
        ("time, without queues", *(time_of(s.wall_hours) for s in scopes)),
        ("disk that convert takes", *(amount(s.disk) for s in scopes)),
    ]


def notes(plan: Plan) -> list[str]:
    """Where the numbers come from, and what is not known."""
    scope = plan.of_channel
    said = [f"  events of {p.kind}: {p.events.how}" for p in scope.parts]
    said += [
        f"  bytes to read: {len(plan.branches)} branches; {scope.read.how}",
        f"  time: {plan.measured}",
        f"  convert runs {plan.conversions} time(s); stages after it, and queues, are not in it",
    ]
    return [*said, *(f"  ! {note}" for note in plan.notes)]


def size(value: float) -> str:
    """Bytes in a unit that leaves few digits."""
    for unit, name in UNITS:
        if value >= unit:
            return f"{value / unit:.2f} {name}"
    return f"{value:.0f} B"


def amount(found: Amount, form: str | None = None) -> str:
    """A value, `~` before an estimate, and its interval."""
    if found.value is None:
        return "?"

    def text(value: float | None) -> str:
        return size(value or 0) if form is None else form.format(value or 0)

    if found.is_exact:
        return text(found.value)
    digits = 4 if (found.high or 0) <= NARROW * (found.low or 0) else 3
    value, low, high = (_rounded(end, digits) for end in (found.value, found.low, found.high))
    found = Amount(value, low, high, found.how)
    if text(found.low) == text(found.high):
        return f"~{text(found.value)}"
    return f"~{text(found.value)} ({text(found.low)} to {text(found.high)})"


def time_of(hours: Amount) -> str:
    """A time in the unit that fits its value."""
    value = hours.value or 0.0
    factor, unit = (1.0, "h") if value >= 1 else (60.0, "min") if value >= 1 / 60 else (3600.0, "s")
    return amount(hours.times(factor), f"{{:,.2g}} {unit}")


def _rounded(value: float | None, digits: int) -> float | None:
    """So many digits of an estimate: more are not known."""
    return None if value is None else float(f"{value:.{digits}g}")


def _events(scope: Scope, kind: str) -> str:
    """Events of a kind; where the total is published, an estimate of its parts would not add up."""
    part = _of(scope, kind)
    if part is None:
        return ""
    if scope.everything.events.is_exact and not part.events.is_exact:
        return "not published"
    return amount(part.events, "{:,.0f}")


def _of(scope: Scope, kind: str) -> Inventory | None:
    return next((p for p in scope.parts if p.kind == kind), None)


def _files(scope: Scope) -> str:
    whole = scope.everything
    more = f" ({whole.unresolved:,} unresolved)" if whole.unresolved else ""
    return f"{whole.files:,}{more}"
