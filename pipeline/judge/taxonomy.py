"""The taxonomy of failures: the published study's seven kinds, refined, and whose fault each is.

The study is arXiv 2512.07785; each of our categories names the kind of the study that it refines,
so that rates can be compared with it. Which failure is of which category: `classification.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pipeline.judge.verdict import Attribution

StudyKind = Literal[
    "all data weights = 0", "dummy data created", "function-calling error",
    "incorrect branch name", "intermediate file not found", "semantic error", "other",
]  # fmt: skip
STUDY_KINDS: tuple[StudyKind, ...] = get_args(StudyKind)


@dataclass(frozen=True)
class Category:
    """One kind of failure."""

    name: str
    study: StudyKind
    attribution: Attribution
    meaning: str


_ALL = (
    Category("all data weights = 0", "all data weights = 0", "model",
             "every event of a table has weight zero"),
    Category("dummy data created", "dummy data created", "model",
             "the code says that it made data up because it did not find any"),
    Category("fabrication", "dummy data created", "model",
             "the output does not follow from the input: a constant, random, a stored answer"),
    Category("function-calling error", "function-calling error", "model",
             "a function was called that does not exist, or with arguments that it does not take"),
    Category("incorrect branch name", "incorrect branch name", "model",
             "a branch, column or field was asked for that does not exist"),
    Category("intermediate file not found", "intermediate file not found", "model",
             "a file was opened that is not there"),
    Category("semantic error", "semantic error", "model",
             "the code runs and its result is wrong"),
    Category("units", "semantic error", "model", "MeV for GeV or the like"),
    Category("leakage", "semantic error", "model",
             "scores use what they must not: labels, the observable, the event's own training"),
    Category("blinding", "semantic error", "model",
             "blinded events are in a file that a solver may see"),
    Category("not deterministic", "semantic error", "model",
             "the same input gives another output"),
    Category("syntax", "other", "model", "the module is not Python"),
    Category("import", "other", "model", "the module imports what the sandbox does not hold"),
    Category("contract", "other", "model",
             "names, arguments, columns or types are not those of the stage's contract"),
    Category("timeout", "other", "model", "the code did not end within its time limit"),
    Category("memory", "other", "model", "the code went over its memory limit"),
    Category("sandbox violation", "other", "model",
             "the code reached for the network, a process or a path outside of its sandbox"),
    Category("no progress", "other", "model", "round after round ended in the same error"),
    Category("limit", "other", "model",
             "calls, tokens, wall time or cost of the stage were used up before it was solved"),
    Category("length", "other", "model", "the reply was cut at its maximal length"),
    Category("refusal", "other", "model", "the model declined, or replied without code"),
    Category("endpoint error", "other", "endpoint", "the model's server failed or did not answer"),
    Category("infrastructure error", "other", "infrastructure",
             "a disk, a network, a scheduler or a worker failed"),
    Category("bad input", "other", "data", "a data file is corrupt, truncated, empty or missing"),
    Category("other", "other", "model", "none of the above"),
)  # fmt: skip
CATEGORIES: dict[str, Category] = {category.name: category for category in _ALL}

OF_THE_LOOP = ("no progress", "limit", "length", "refusal")
"""How the loop, or a reply, ended: nothing that an exception of a solution can be."""
OF_SOLUTIONS = frozenset(
    category.name
    for category in _ALL
    if category.attribution == "model" and category.name not in OF_THE_LOOP
)
"""What a solution can fail with: all of it counts against the model, whatever it says."""
