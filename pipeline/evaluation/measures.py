"""How good a configuration is at a stage, and over its stages: every measure with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.distance import Distance, distances
from pipeline.evaluation.distribution import Errors, errors_of, not_rated_by
from pipeline.evaluation.intervals import Amount, Rate, mean, rate
from pipeline.evaluation.passing import KS, PassAtK, pass_at
from pipeline.evaluation.repeating import Repeatability, repeatability
from pipeline.evaluation.spending import NO_PRICING, Pricing, Spending, spending
from pipeline.judge.verdict import RUNGS

ALL_STAGES = "all"
"""In place of a stage: all of them together."""
PASSED = RUNGS[-1]
"""The rung that every passed stage has reached at least."""


@dataclass(frozen=True)
class Measures:
    """One configuration at one stage, or at ALL_STAGES."""

    config: str
    model: str
    setting: str
    scripted: bool
    """No language model: the replies were written by people."""
    stage: str
    stages: tuple[str, ...]
    """The stages that are in it."""
    cells: int
    rated: int
    """Cells that came to an end which is the model's own doing: the n of the success rates."""
    not_reached: int
    """A stage before ended without an output, by the model's own doing."""
    missing: int
    """Not computed yet, or nobody knows why not."""
    reference: int
    """Our own solutions: nothing that is rated."""
    not_rated: dict[str, int]
    """Attribution (harness, endpoint, infrastructure, data) -> cells it kept from being rated."""
    success: dict[str, Rate]
    """Rung -> share of the rated cells that reached it or a higher one. In a chain: of the trials
    that came so far (conditional)."""
    end_to_end: dict[str, Rate]
    """Rung -> the same with cells that were not reached as not passed (unconditional)."""
    pass_at: dict[int, PassAtK]
    """k -> pass@k of the rated cells, over stages their mean; no k above the number of trials."""
    errors: Errors
    spending: Spending
    repeatability: Repeatability
    hint_violations: Amount
    """Per rated cell."""
    against_hints: Rate
    """Share of the rated cells in which any hint was not followed."""
    distances: dict[str, Distance]
    """Quantity -> distance of the physics from the reference's."""

    @property
    def passed(self) -> Rate:
        """The success rate: of the rated cells, those that passed at any rung."""
        return self.success[PASSED]

    def to_json(self) -> dict[str, Any]:
        """The measures as plain JSON types."""
        plain = asdict(self)
        plain["pass_at"] = {str(k): value for k, value in plain["pass_at"].items()}
        return plain


def measures(cells: Sequence[Cell], pricing: Pricing = NO_PRICING) -> tuple[Measures, ...]:
    """Per configuration ALL_STAGES first, then each stage, in the order of the cells.

    Over stages, rates are of all their cells together and pass@k is the mean over stages; the
    intervals are for these stages and take cells as independent, which those of one chain are not.
    """
    found = []
    for config in dict.fromkeys(cell.config for cell in cells):
        own = [cell for cell in cells if cell.config == config]
        found.append(_measure(ALL_STAGES, own, pricing))
        for stage in dict.fromkeys(cell.stage for cell in own):
            found.append(_measure(stage, [c for c in own if c.stage == stage], pricing))
    return tuple(found)


def reached(cell: Cell, rung: str) -> bool:
    """Whether a cell passed with this rung of the ladder or a higher one."""
    return cell.rung is not None and RUNGS.index(cell.rung) <= RUNGS.index(rung)


def unreached(cell: Cell) -> bool:
    """Whether the model's own failure before it is why a cell was not reached."""
    return cell.outcome == "not_reached" and cell.failure is None


def _measure(stage: str, cells: Sequence[Cell], pricing: Pricing) -> Measures:
    first = cells[0]
    rated = [cell for cell in cells if cell.rated]
    not_reached = sum(unreached(cell) for cell in cells)
    others = [whose for cell in cells if (whose := not_rated_by(cell)) is not None]
    passed = {rung: sum(reached(cell, rung) for cell in rated) for rung in RUNGS}
    violations = [cell.hint_violations for cell in rated]
    stages = tuple(dict.fromkeys(cell.stage for cell in cells))
    return Measures(
        config=first.config,
        model=first.model,
        setting=first.setting,
        scripted=all(cell.scripted for cell in cells),
        stage=stage,
        stages=stages,
        cells=len(cells),
        rated=len(rated),
        not_reached=not_reached,
        missing=sum(c.outcome == "missing" and c.failure is None for c in cells),
        reference=sum(c.outcome == "reference" for c in cells),
        not_rated={whose: others.count(whose) for whose in sorted(set(others))},
        success={rung: rate(n, len(rated)) for rung, n in passed.items()},
        end_to_end={rung: rate(n, len(rated) + not_reached) for rung, n in passed.items()},
        pass_at=_pass_at(rated, stages),
        errors=errors_of(cells),
        spending=spending(cells, pricing),
        repeatability=repeatability(cells),
        hint_violations=mean(violations, at_least=0.0),
        against_hints=rate(sum(v > 0 for v in violations), len(rated)),
        distances=distances(cells),
    )


def _pass_at(rated: Sequence[Cell], stages: Sequence[str]) -> dict[int, PassAtK]:
    counts = []
    for stage in stages:
        own = [cell.outcome == "passed" for cell in rated if cell.stage == stage]
        counts.append((sum(own), len(own)))
    return {k: found for k in KS if (found := pass_at(k, counts)) is not None}
