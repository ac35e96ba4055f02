"""What failures were: by category, by kind of the published study, and by whose they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.evaluation.cell import Cell, CellFailure
from pipeline.evaluation.intervals import Rate, rate
from pipeline.judge.taxonomy import CATEGORIES

GAVE_UP = "no progress"
"""A category that says how the loop ended; what counts is the error that came again and again."""
NOT_STUDIED = "other"


@dataclass(frozen=True)
class Errors:
    """Shares of failures, most frequent first; those of the model, and of everybody."""

    by_category: dict[str, Rate]
    """Of the model's failures."""
    by_study: dict[str, Rate]
    """Of the model's failures, by the seven kinds of arXiv 2512.07785."""
    by_attribution: dict[str, Rate]
    """Of all cells that something stopped, the model's failures among them."""


def kind(failure: CellFailure) -> str:
    """The category to count: the cause where the loop gave up after the same error."""
    return failure.cause if failure.category == GAVE_UP else failure.category


def study_kind(category: str) -> str:
    """The published study's kind that a category refines."""
    return CATEGORIES[category].study if category in CATEGORIES else NOT_STUDIED


def errors_of(cells: Sequence[Cell]) -> Errors:
    """The distributions of the failures of `cells`."""
    kinds = [kind(c.failure) for c in cells if c.outcome == "failed" and c.rated and c.failure]
    whose = ["model"] * len(kinds) + [a for c in cells if (a := not_rated_by(c)) is not None]
    return Errors(_shares(kinds), _shares(study_kind(k) for k in kinds), _shares(whose))


def not_rated_by(cell: Cell) -> str | None:
    """Whose doing it is that a cell says nothing of its model; None if it does, or is not there."""
    if cell.rated or cell.failure is None or cell.failure.counts:
        return None
    return cell.failure.attribution


def _shares(words: Iterable[str]) -> dict[str, Rate]:
    counts = Counter(words)
    order = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: rate(counts[word], counts.total()) for word in order}
