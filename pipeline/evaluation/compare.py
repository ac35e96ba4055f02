"""What `ladon compare A B` finds: two runs or configurations, side by side on the same trials."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.measures import ALL_STAGES, unreached
from pipeline.evaluation.pairs import PairedRates, by_setting, by_trial, compare, mcnemar
from pipeline.evaluation.reading import EvaluationError, read_cells, read_pricing
from pipeline.evaluation.spending import Spending, spending
from pipeline.settings import nearest

SIGNIFICANT = 0.05
Resolve = Callable[[str], Path]
"""The folder of a run that is named; LookupError, OSError or ValueError if there is none."""


@dataclass(frozen=True)
class Side:
    """What one of the two words means: a run, and the cells of it that are compared."""

    name: str
    run: Path
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class ComparedStage:
    """One stage, or ALL_STAGES: the paired rates, and what the paired cells of each side took."""

    rates: PairedRates
    spent_a: Spending
    spent_b: Spending


@dataclass(frozen=True)
class Comparison:
    """Two sides, stage by stage, and what must be said beside the numbers."""

    a: str
    b: str
    stages: tuple[ComparedStage, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"schema": 1, **asdict(self)}


def compare_runs(words: Sequence[str], resolve: Resolve) -> Comparison:
    """The comparison of the two sides that `words` name.

    A word is a run, or RUN:CONFIG for one configuration of it (or one model). Cells are paired by
    stage and trial, and by setting where a side has several; runs with several models by model too.
    Raises EvaluationError where a word means nothing.
    """
    if len(words) != 2:
        found = " ".join(words) or "nothing"
        raise EvaluationError(
            f"expected two runs, or two configurations as RUN:CONFIG, found {found}; e.g. "
            "`ladon compare mine yours` or `ladon compare mine:novice mine:expert`"
        )
    a, b = (side_of(word, resolve) for word in words)
    rows = compare(a.cells, b.cells, (a.name, b.name), _key(a.cells, b.cells))
    stages = tuple(_stage(row, a, b) for row in rows)
    notes = [*_notes(stages[0].rates, a, b), *_costs(stages[0])]
    return Comparison(a.name, b.name, stages, tuple(notes))


def side_of(word: str, resolve: Resolve) -> Side:
    """The cells that a word means; our own solutions are no side of a comparison."""
    run, config = _split(word, resolve)
    cells = tuple(cell for cell in read_cells(run) if cell.model != "reference")
    if not cells:
        raise EvaluationError(
            f"expected solutions of a model in {run}, found none but our own; compare runs with "
            "solver=agent"
        )
    if config is None:
        return Side(word, run, cells)
    own = tuple(cell for cell in cells if config in (cell.config, cell.model))
    if not own:
        known = list(dict.fromkeys(cell.config for cell in cells))
        raise EvaluationError(
            f"unknown configuration {config!r} in {run}; {nearest(config, known)}"
        )
    return Side(word, run, own)


def _split(word: str, resolve: Resolve) -> tuple[Path, str | None]:
    """The run of a word and its configuration; a colon may also be part of a path."""
    try:
        return resolve(word), None
    except (LookupError, OSError, ValueError):
        if ":" not in word:
            raise
    parts = word.split(":")
    for place in range(len(parts) - 1, 0, -1):
        name = ":".join(parts[:place])
        try:
            return resolve(name), ":".join(parts[place:])
        except (LookupError, OSError, ValueError):
            if place == 1:
                raise
    raise EvaluationError(f"expected RUN:CONFIG, found {word!r}")


def _key(a: Sequence[Cell], b: Sequence[Cell]) -> Callable[[Cell], Hashable]:
    """What pairs the cells: no more than is needed to tell those of a side apart."""
    models = [{cell.model for cell in cells} for cells in (a, b)]
    if any(len(found) > 1 for found in models):
        return lambda cell: (cell.stage, cell.trial, cell.config)
    settings = [{cell.setting for cell in cells} for cells in (a, b)]
    return by_setting if any(len(found) > 1 for found in settings) else by_trial


def _stage(row: PairedRates, a: Side, b: Side) -> ComparedStage:
    key = _key(a.cells, b.cells)
    mine, others = ({key(c): c for c in side.cells if _counts(c)} for side in (a, b))
    shared = [k for k in mine if k in others and row.stage in (ALL_STAGES, mine[k].stage)]
    return ComparedStage(
        row,
        spending([mine[k] for k in shared], read_pricing(a.run)),
        spending([others[k] for k in shared], read_pricing(b.run)),
    )


def _counts(cell: Cell) -> bool:
    return cell.rated or unreached(cell)


def _notes(whole: PairedRates, a: Side, b: Side) -> list[str]:
    """What a reader must know before believing the numbers."""
    notes = []
    if whole.n == 0:
        notes.append(
            f"nothing to compare: {a.name} has {_extent(a)}, {b.name} has {_extent(b)}; run both "
            "with the same stages and trials"
        )
    elif whole.unpaired:
        notes.append(
            f"the trials do not match: {whole.unpaired} rated cells of one side have no partner "
            f"and are left out ({a.name} has {_extent(a)}, {b.name} has {_extent(b)})"
        )
    if whole.n and mcnemar(whole.n, 0) > SIGNIFICANT:
        notes.append(
            f"too few pairs: with {whole.n} even a difference in all of them has p = "
            f"{mcnemar(whole.n, 0):.3g}; six are the least that can be significant at 5 %"
        )
    for side in (a, b):
        if all(cell.scripted for cell in side.cells):
            notes.append(f"{side.name}: replies written by people, no language model")
        left_out = sum(not _counts(cell) and cell.outcome != "reference" for cell in side.cells)
        if left_out:
            notes.append(
                f"{side.name}: {left_out} cells are not rated (not computed yet, or ended by what "
                "is not the model's doing)"
            )
    if any(unreached(cell) for side in (a, b) for cell in side.cells):
        notes.append("a stage that was not reached by a side's own failure counts as not passed")
    return notes


def _costs(whole: ComparedStage) -> list[str]:
    """Where the costs come from, and whether they may be compared."""
    bases = [whole.spent_a.cost_basis, whole.spent_b.cost_basis]
    if not any(bases):
        return []
    if bases[0] == bases[1]:
        return [f"cost by {bases[0]}"]
    told = [basis or "nothing that is known" for basis in bases]
    return [f"cost of A by {told[0]}, of B by {told[1]}: not the same measure"]


def _extent(side: Side) -> str:
    rated = [cell for cell in side.cells if _counts(cell)]
    if not rated:
        return "no rated cell"
    trials = sorted({cell.trial for cell in rated})
    stages = ", ".join(dict.fromkeys(cell.stage for cell in rated))
    return f"trials {_ranges(trials)} of {stages}"


def _ranges(numbers: Sequence[int]) -> str:
    """Whole numbers in ascending order as text: 0-2, 5."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(x) if x == y else f"{x}-{y}" for x, y in parts)
