"""Contract of convert: the variables a solution reads, and the columns that it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd

from pipeline.data.schema import door
from pipeline.files import read_json, read_table, write_json, write_table
from pipeline.settings import Settings, nearest
from pipeline.stages.contract import ContractError, StageContext
from pipeline.stages.convert.columns import Column, columns
from pipeline.stages.convert.events import first_events
from pipeline.stages.convert.identity import keys, run_and_event, without_event

CUTFLOW = "cutflow"
"""Key of the result that holds the cut flow; every other key is a column."""

SELECTIONS = {"official_2025": "2025", "physlite_2024": "2024", "official_2020": "2020"}
TRIAL_EVENTS = 20_000
"""Events that `arguments` reads: enough to try a solution on."""


@dataclass(frozen=True)
class Converted:
    """What a solution made of some events, checked: columns of equal length and a cut flow."""

    columns: dict[str, np.ndarray]
    """In the order and with the types of the channel's columns."""
    cutflow: tuple[tuple[str, int], ...]
    """(name, events left), cumulative, first ("all", number of events)."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def table(self) -> pd.DataFrame:
        """The columns as a DataFrame."""
        return pd.DataFrame(self.columns)


@dataclass(frozen=True)
class ConvertContract:
    """What a solution of convert defines and returns.

    It is mapped over the chunks of all files (see `task.py`); `arguments`, `write` and `read` are
    for trying and judging it on a few events.
    """

    stage: str = "convert"

    @property
    def defines(self) -> Mapping[str, tuple[str, ...] | None]:
        """BRANCHES, a list of variables; convert(events), called once per chunk."""
        return {"BRANCHES": None, "convert": ("events",)}

    def arguments(self, context: StageContext) -> dict[str, Any]:
        """The first events of the first readable file, with every variable of the release."""
        events = first_events(context.fileset, context.settings.data.release, TRIAL_EVENTS)
        return {"events": events, "channel": context.settings.channel.name}

    def call(self, solution: ModuleType, arguments: Mapping[str, Any]) -> Any:
        """`convert` with exactly the variables of BRANCHES; ContractError for an unknown one."""
        events = arguments["events"]
        return solution.convert(events[self.branches(solution, events.fields)])

    def branches(self, solution: ModuleType, known: Sequence[str]) -> list[str]:
        """The variables that a solution declares, each once; ContractError names the nearest."""
        declared = solution.BRANCHES
        if not isinstance(declared, list | tuple) or not all(isinstance(b, str) for b in declared):
            raise ContractError(f"expected BRANCHES to be a list of names, found {declared!r}")
        for name in declared:
            if name not in known:
                hint = nearest(name, list(known))
                raise ContractError(f"unknown branch {name!r} in BRANCHES; {hint}")
        if not declared:
            raise ContractError("expected at least one name in BRANCHES, found none")
        return list(dict.fromkeys(declared))

    def accept(self, result: Any, arguments: Mapping[str, Any]) -> Converted:
        """Columns with the channel's names and types, equally long, of events that were given."""
        events = arguments["events"]
        if not isinstance(result, Mapping):
            raise ContractError(
                f"expected convert to return a dict of columns, found {type(result).__name__}"
            )
        cutflow = _cutflow(result, len(events))
        wanted = columns(arguments["channel"])
        known = [c.name for c in wanted]
        for name in result:
            if name != CUTFLOW and name not in known:
                raise ContractError(f"unknown column {name!r}; {nearest(str(name), known)}")
        found: dict[str, np.ndarray] = {}
        for column in wanted:
            if column.name not in result:
                raise ContractError(f"expected column {column.name!r}, found {', '.join(result)}")
            found[column.name] = _normalised(column, result[column.name])
            if len(found[column.name]) != len(found[known[0]]):
                raise ContractError(
                    f"expected columns of one length, found {len(found[known[0]])} rows in "
                    f"{known[0]!r} and {len(found[column.name])} in {column.name!r}"
                )
        _check_identity(found, events)
        return Converted(found, cutflow)

    def write(self, product: Converted, folder: Path) -> None:
        """Keep the rows as events.parquet and the cut flow as cutflow.json."""
        write_table(folder / "events.parquet", product.table)
        write_json(folder / "cutflow.json", [list(step) for step in product.cutflow])

    def read(self, folder: Path) -> Converted:
        """What `write` kept."""
        table = read_table(folder / "events.parquet")
        cutflow = tuple((str(name), int(n)) for name, n in read_json(folder / "cutflow.json"))
        return Converted({c: table[c].to_numpy() for c in table.columns}, cutflow)


CONTRACT = ConvertContract()


def reference_path(settings: Settings) -> Path:
    """File of our own solution for a channel and its selection; ContractError if there is none."""
    year = SELECTIONS.get(settings.channel.selection)
    path = Path(__file__).with_name(f"reference_{settings.channel.name}_{year}.py")
    if year is None or not path.is_file():
        raise ContractError(
            f"no reference solution of convert for channel {settings.channel.name!r} and selection "
            f"{settings.channel.selection!r}; add {path.name}"
        )
    return path


def task_variables(settings: Settings) -> dict[str, Any]:
    """What `task.md` needs."""
    channel, release = settings.channel, settings.data.release
    return {
        "channel": channel.name,
        "selection": channel.selection,
        "release": release,
        "scale_factors": list(channel.scale_factors),
        "variables": list(door(release).fields.values()),
        "missing": dict(door(release).missing),
        "columns": columns(channel.name),
    }


def _cutflow(result: Mapping[str, Any], events: int) -> tuple[tuple[str, int], ...]:
    """The cut flow as (name, count); ContractError for another shape."""
    if CUTFLOW not in result:
        raise ContractError(
            f"expected key {CUTFLOW!r}, a list of (name, events left), found {', '.join(result)}"
        )
    steps = []
    for step in result[CUTFLOW]:
        if not isinstance(step, list | tuple) or len(step) != 2 or not isinstance(step[0], str):
            raise ContractError(f"expected (name, events left) in {CUTFLOW!r}, found {step!r}")
        count = np.asarray(step[1])
        if count.shape != () or count.dtype.kind not in "iu":
            raise ContractError(f"expected a whole number after {step[0]!r}, found {step[1]!r}")
        steps.append((step[0], int(count)))
    if not steps or steps[0] != ("all", events):
        raise ContractError(
            f"expected {CUTFLOW!r} to begin with ('all', {events}), found {steps[:1]!r}"
        )
    return tuple(steps)


def _normalised(column: Column, values: Any) -> np.ndarray:
    """`values` as a 1-d array of the column's type; ContractError if that would change them."""
    try:
        array = np.asarray(ak.to_numpy(values) if isinstance(values, ak.Array) else values)
    except ValueError as error:
        raise ContractError(f"expected a 1-d array in {column.name!r}: {error}") from error
    if array.ndim != 1 or array.dtype.kind not in "iufb":
        raise ContractError(
            f"expected a 1-d array of numbers in {column.name!r}, found shape {array.shape!r} and "
            f"type {array.dtype}"
        )
    target = np.dtype(column.dtype)
    if array.dtype == target:
        return np.ascontiguousarray(array)
    with np.errstate(invalid="ignore", over="ignore"):
        cast = array.astype(target)
    if target.kind in "ib" and not np.array_equal(cast, array):
        raise ContractError(
            f"expected {column.dtype} in {column.name!r}, found {array.dtype} with values that are "
            f"none, e.g. {array[cast != array][0]!r}"
        )
    return cast


def _check_identity(found: Mapping[str, np.ndarray], events: ak.Array) -> None:
    """Every row is one of the events that were given, and none is there more often than given."""
    given = keys(events["runNumber"], events["eventNumber"])
    strange = without_event(keys(found["run_number"], found["event_number"]), given)
    if len(strange):
        run, event = run_and_event(strange[0])
        raise ContractError(
            f"expected at most one row for each event given, found run_number {run} with "
            f"event_number {event}, which is none of them or was there already; copy runNumber and "
            "eventNumber of the event"
        )
