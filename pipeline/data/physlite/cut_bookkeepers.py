"""The cut bookkeepers of a PHYSLITE file: events and weights from before the derivation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uproot

from executors.base import is_remote
from executors.diagnosis import is_passing
from executors.remote import open_remote
from pipeline.data.errors import BookkeeperError
from pipeline.data.identity import basename

METADATA = "MetaData"
COMPLETE, INCOMPLETE = "CutBookkeepersAux", "IncompleteCutBookkeepersAux"
ALL_EVENTS = "AllExecutedEvents"
"""The bookkeeper of every event that a job was given."""
STREAMS = ("StreamAOD", "StreamDAOD_PHYSLITE", "StreamEVGEN", "StreamEVNT")
"""Inputs of the jobs that count (athena, AsgCutBookkeeperAlg); the one that ran last is taken."""


@dataclass(frozen=True)
class Weights:
    """What the events of some files weighed when they were generated."""

    total: float
    """Signed sum of the generator's weights."""
    squared: float
    events: int

    def __add__(self, other: Weights) -> Weights:
        return Weights(
            self.total + other.total, self.squared + other.squared, self.events + other.events
        )


@dataclass(frozen=True)
class Bookkeeper:
    """One bookkeeper of a file."""

    name: str
    stream: str
    cycle: int
    weights: Weights


def read_weights(path: Path | str) -> Weights:
    """The weights of all events that went into the file at `path`, which may be an address.

    Raises BookkeeperError if the file has no bookkeepers, or incomplete ones: those of a job that
    did not read its input to the end, so that the sum lacks events. Of an address, an error of the
    network that may pass is raised as it is.
    """
    remote, where = is_remote(str(path)), basename(str(path))
    try:
        with open_remote(str(path)) if remote else uproot.open(path) as file:
            if METADATA not in file.keys(cycle=False, recursive=False):
                raise BookkeeperError(
                    f"expected tree {METADATA!r} with the cut bookkeepers in {where}, found "
                    f"{', '.join(file.keys(cycle=False)) or 'nothing'}; the file was cut out of a "
                    "PHYSLITE file or is damaged: fetch it again"
                )
            tree = file[METADATA]
            left = (
                _column(tree, INCOMPLETE, "nAcceptedEvents", where)
                if _spelled(tree, INCOMPLETE, "nAcceptedEvents")
                else ()
            )
            kept = list(_bookkeepers(tree, where))
    except (OSError, ValueError, LookupError) as error:
        if isinstance(error, BookkeeperError) or (remote and is_passing(error)):
            raise
        raise BookkeeperError(
            f"expected readable cut bookkeepers in {where}, found {type(error).__name__}; "
            "fetch the file again"
        ) from error
    if len(left):
        raise BookkeeperError(
            f"expected complete cut bookkeepers in {where}, found {len(left)} incomplete ones: "
            "a job did not read its input to the end, and the sum of weights lacks events; fetch "
            "the file again, or leave the sample out"
        )
    return all_events(kept, where)


def all_events(bookkeepers: Iterable[Bookkeeper], where: str) -> Weights:
    """The weights of the bookkeeper of all events with the highest cycle; BookkeeperError if none.

    Each step of the production adds a cycle: the last one saw what the file was made from.
    """
    known = list(bookkeepers)
    found = [b for b in known if b.name == ALL_EVENTS and b.stream in STREAMS]
    if not found:
        names = ", ".join(sorted({f"{b.name} of {b.stream}" for b in known})[:5]) or "none"
        raise BookkeeperError(
            f"expected a cut bookkeeper {ALL_EVENTS!r} of one of {', '.join(STREAMS)} in {where}, "
            f"found {names}; the file is of another derivation"
        )
    return max(found, key=lambda b: b.cycle).weights


def _bookkeepers(tree: Any, where: str) -> Iterable[Bookkeeper]:
    columns = [
        _column(tree, COMPLETE, name, where)
        for name in ("name", "inputStream", "cycle", "sumOfEventWeights",
                     "sumOfEventWeightsSquared", "nAcceptedEvents")
    ]  # fmt: skip
    for name, stream, cycle, total, squared, events in zip(*columns, strict=True):
        yield Bookkeeper(
            name, stream, int(cycle), Weights(float(total), float(squared), int(events))
        )


def _column(tree: Any, container: str, name: str, where: str) -> Sequence[Any]:
    """The values of all bookkeepers; the tree has one entry for the whole file."""
    branch = _spelled(tree, container, name)
    if branch is None:
        raise BookkeeperError(
            f"expected branch '{container}.{name}' in tree {METADATA!r} of {where}, found "
            "none; the file is of another version of PHYSLITE"
        )
    entries: list[Sequence[Any]] = tree[branch].array().tolist()
    if len(entries) != 1:
        raise BookkeeperError(
            f"expected one entry in tree {METADATA!r} of {where}, found {len(entries)}; files "
            "that were put together without merging their metadata cannot be normalised"
        )
    return entries[0]


def _spelled(tree: Any, container: str, name: str) -> str | None:
    """A branch as a TTree or an RNTuple spells it, or None if it is not there."""
    return next((b for mark in ".:" if (b := f"{container}{mark}{name}") in tree), None)
