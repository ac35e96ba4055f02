"""The charts of the page: failures, rounds, and success against what it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.distribution import kind, not_rated_by
from pipeline.evaluation.intervals import Amount
from pipeline.evaluation.measures import ALL_STAGES, Measures
from pipeline.sweep_page.svg import GREY, PALETTE, Bar, Point, bars, scatter

MOST_ROWS = 40
"""Rows of a bar chart; with more configurations a row is a model."""
MOST_KINDS = 7
"""Categories of failures with a colour of their own."""
REST = "others"


@dataclass(frozen=True)
class Chart:
    """A drawing with its caption; without one where nothing is known to be drawn."""

    title: str
    caption: str
    drawing: Markup | None = None


def failure_charts(cells: Sequence[Cell]) -> tuple[Chart, ...]:
    """The model's failures by category, and apart from them what was not the model's doing."""
    group, note = _grouping(cells)
    return (
        _by_category([c for c in cells if c.outcome == "failed" and c.rated], cells, group, note),
        _by_attribution(cells, group, note),
    )


def rounds_chart(cells: Sequence[Cell]) -> Chart:
    """How many rounds the trials that count took, by how they ended."""
    group, note = _grouping(cells)
    rated = [c for c in cells if c.rated]
    title = "Rounds until the end"
    if not rated:
        return Chart(title, "No trial that counts has ended yet.")
    most = max(c.rounds for c in rated)
    names = {r: f"passed, {r} round{'' if r == 1 else 's'}" for r in range(most + 1)}
    used = sorted({c.rounds for c in rated if c.outcome == "passed"})
    series = [*(names[r] for r in used), "failed"]
    shades = ["#08519c", "#3f8fc5", "#8fc1e2", "#c9dff0"]
    colours = [*(shades[min(i, 3)] for i in range(len(used))), PALETTE[1]]
    rows = _rows(
        rated, group, lambda c: names[c.rounds] if c.outcome == "passed" else "failed",
        lambda own: f"mean {sum(c.rounds for c in own) / len(own):.2f}",
    )  # fmt: skip
    caption = f"Trials that count, by the number of rounds.{note}"
    return Chart(title, caption, bars(rows, series, "trials", title, colours))


def tradeoff_charts(found: Sequence[Measures]) -> tuple[Chart, ...]:
    """Success against tokens, GPU-seconds and cost; a sentence where one is not known."""
    whole = [m for m in found if m.stage == ALL_STAGES and m.passed.value is not None]
    return (
        _tradeoff(whole, "tokens", "tokens", "tokens per trial of a stage", "no tokens were used"),
        _tradeoff(whole, "GPU-seconds", "gpu_s", "GPU-seconds per trial of a stage [s]",
                  "no GPU-seconds were used"),
        _tradeoff(whole, "cost", "cost", "cost per trial of a stage [currency of the prices]",
                  "all prices are 0"),
    )  # fmt: skip


def pareto(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Which (effort, success) nothing beats: none has as much success with less, or more with
    as little."""
    return [
        not any(
            (x2 <= x and y2 >= y) and (x2 < x or y2 > y)
            for x2, y2 in points
        )
        for x, y in points
    ]  # fmt: skip


def _tradeoff(
    whole: Sequence[Measures], what: str, name: str, axis: str, nothing: str
) -> Chart:  # fmt: skip
    title = f"Success against {what}"
    known = [(m, a) for m in whole if (a := _spent(m, name)).value is not None]
    if not known:
        return Chart(title, f"Nothing is drawn: nobody reported any {what}.")
    if all(a.value == 0 for _, a in known):
        return Chart(title, f"Nothing is drawn: {nothing}.")
    models = list(dict.fromkeys(m.model for m, _ in known))
    front = pareto([(a.value or 0.0, m.passed.value or 0.0) for m, a in known])
    points = [
        Point(
            m.config, a.value or 0.0, m.passed.value or 0.0, _ends(a.low, a.high),
            _ends(m.passed.low, m.passed.high), beaten, models.index(m.model),
        )
        for (m, a), beaten in zip(known, front, strict=True)
    ]  # fmt: skip
    unknown = len(whole) - len(known)
    left = f" {unknown} configurations are not drawn: of them it is not known." if unknown else ""
    caption = (
        "Each point is a configuration over all its stages, with 95 % intervals; a colour is a "
        f"model. Full points, joined by the line, are the Pareto front: no other has more success "
        f"with fewer {what if what != 'cost' else 'costs'}.{left}"
    )
    return Chart(title, caption, scatter(points, models, axis, "success rate", title))


def _by_category(failed: Sequence[Cell], cells: Sequence[Cell], group: _Group, note: str) -> Chart:
    title = "The model's failures by category"
    if not failed:
        return Chart(title, "No trial that counts has failed.")
    counts = Counter(_kind(c) for c in failed)
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    series = ordered if len(ordered) <= MOST_KINDS + 1 else [*ordered[:MOST_KINDS], REST]
    rated = Counter(group(c) for c in cells if c.rated)
    rows = _rows(
        failed, group, lambda c: _kind(c) if _kind(c) in series else REST,
        lambda own: f"{len(own)} of {rated[group(own[0])]} failed",
        [group(c) for c in cells if c.rated],
    )  # fmt: skip
    colours = [GREY if s == REST else PALETTE[i % len(PALETTE)] for i, s in enumerate(series)]
    caption = (
        "Failures that count against the model; where the loop gave up after the same error again "
        f"and again, the category of that error.{note}"
    )
    return Chart(title, caption, bars(rows, series, "failed trials", title, colours))


def _by_attribution(cells: Sequence[Cell], group: _Group, note: str) -> Chart:
    title = "Not the model's doing"
    stopped = [c for c in cells if not_rated_by(c) is not None]
    if not stopped:
        return Chart(
            title, "No trial was stopped by the harness, the endpoint, the infrastructure or data."
        )
    whose = {id(c): str(not_rated_by(c)) for c in stopped}
    series = sorted(set(whose.values()))
    rows = _rows(stopped, group, lambda c: whose[id(c)], lambda own: str(len(own)))
    caption = f"Trials that were stopped by something else; they are in no rate.{note}"
    return Chart(title, caption, bars(rows, series, "stopped trials", title))


_Group = Callable[[Cell], str]


def _grouping(cells: Sequence[Cell]) -> tuple[_Group, str]:
    """What a row of a bar chart is, and the sentence that says so where it is not plain."""
    if len({c.config for c in cells}) <= MOST_ROWS:
        return (lambda c: c.config), ""
    return (lambda c: c.model), (
        f" A row is a model with all its settings, as there are more than {MOST_ROWS} "
        "configurations."
    )


def _rows(
    cells: Sequence[Cell],
    group: _Group,
    series: Callable[[Cell], str],
    about: Callable[[Sequence[Cell]], str],
    every: Sequence[str] = (),
) -> list[Bar]:
    """A bar per group (also the empty ones of `every`), in the order of the cells."""
    own: Mapping[str, list[Cell]] = {name: [] for name in dict.fromkeys(every)}
    found = dict(own)
    for cell in cells:
        found.setdefault(group(cell), []).append(cell)
    return [
        Bar(name, Counter(series(c) for c in cells_of), about(cells_of) if cells_of else "none")
        for name, cells_of in found.items()
    ]


def _kind(cell: Cell) -> str:
    return kind(cell.failure) if cell.failure is not None else "unknown"


def _spent(m: Measures, name: str) -> Amount:
    amount: Amount = getattr(m.spending, name)
    return amount


def _ends(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)
