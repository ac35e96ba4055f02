"""The contract of preprocess: converted tables in; signal, background, control and data out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from pipeline.files import read_json, write_json
from pipeline.settings import Settings
from pipeline.stages.chosen_rows import ChosenRows, column_names, has_numbers
from pipeline.stages.contract import ContractError, StageContext, declared_columns
from pipeline.stages.samples import SAMPLES_FILE, describe_samples
from pipeline.stages.stored import StoredTable, StoredTables, narrowed
from pipeline.stages.tables import (
    EVENT_TABLES,
    accept_table,
    checked_table,
    count_rows,
    expect_mapping,
    own,
    read_tables,
    write_tables,
)

KEEP_RANGE = {"hzz4l": (80.0, 170.0)}
"""GeV; where it is wider than the fit range, the rest of the spectrum is kept to be shown."""
EVENT = ("run_number", "event_number", "channel_number", "process", "sample")


class MissingTableError(FileNotFoundError):
    """A converted table that must be there is not."""


class PreprocessContract:
    """`preprocess(tables, info) -> {"signal", "background", "control", "data"}`."""

    stage = "preprocess"
    defines: Mapping[str, tuple[str, ...] | None] = {"preprocess": ("tables", "info")}

    def arguments(self, context: StageContext) -> dict[str, Any]:
        """Converted tables by sample, and the facts of channel and samples.

        The sealed pass reads data from `sealed/`; simulation is never blinded and lies in
        `output/` alone. MissingTableError if a sample that has files has no table.
        """
        samples = describe_samples(context)
        base = context.upstream["convert"]
        stored = {}
        for name, sample in samples.items():
            folder = context.folder("convert") if sample["kind"] == "data" else base / "output"
            path = folder / f"{name}.parquet"
            if path.exists():
                stored[name] = StoredTable(path)
            elif context.fileset["samples"][name]["files"]:
                raise MissingTableError(
                    f"expected the converted table of sample {name!r} at {path}, found none; "
                    "delete the record of convert and give the same command again"
                )
        lying = StoredTables(stored)
        tables = lying if context.stored else dict(lying)
        return {"tables": tables, "info": _info(context.settings, samples)}

    def call(self, solution: ModuleType, arguments: Mapping[str, Any]) -> Any:
        """Call `solution.preprocess` with tables of its own: of the columns that it declares, and
        the observable, if it declares any. Tables in files are read as it takes them."""
        tables, info = arguments["tables"], arguments["info"]
        names = declared_columns(solution)
        if names is not None:
            tables = narrowed(tables, [*names, info["observable"]])
        if not isinstance(tables, StoredTables):
            tables = {name: own(table) for name, table in tables.items()}
        return solution.preprocess(tables, info)

    def accept(self, result: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The four tables in the order of their events' identity, and the samples' facts.

        A table with INPUT_ROW gets the columns that it lacks from those rows of the input: where
        that lies in files, when it is written. ContractError if one is missing, lacks a column, or
        has a weight that is not finite.
        """
        info = arguments["info"]
        given = expect_mapping(result, EVENT_TABLES, "preprocess")
        product: dict[str, Any] = {}
        for name in EVENT_TABLES:
            weights = ["weight"]
            if name in ("background", "control"):
                weights.append("control_weight")
            columns = [*EVENT, info["observable"], *info["features"], *weights]
            product[name] = _accepted(given[name], name, columns, weights, arguments)
        product["samples"] = info["samples"]
        return product

    def write(self, product: Mapping[str, Any], folder: Path) -> None:
        """Keep the four tables and `samples.json`."""
        for name in EVENT_TABLES:
            table = product[name]
            if isinstance(table, ChosenRows):
                table.write(folder / f"{name}.parquet")
            else:
                write_tables(folder, {name: table})
        write_json(folder / SAMPLES_FILE, product["samples"])

    def read(self, folder: Path) -> dict[str, Any]:
        """What `write` kept."""
        return {**read_tables(folder), "samples": read_json(folder / SAMPLES_FILE)}


def _accepted(
    found: Any, name: str, columns: list[str], weights: list[str], arguments: Mapping[str, Any]
) -> pd.DataFrame | ChosenRows:
    tables, samples = arguments["tables"], arguments["info"]["samples"]
    if has_numbers(found):
        given = set(column_names(tables)) - set(weights)
        made = [column for column in columns if column not in given]
        checked = checked_table(found, name, made, finite=weights)
        chosen = ChosenRows.of(checked, name, tables)
        return chosen if isinstance(tables, StoredTables) else chosen.whole()
    table = accept_table(found, name, columns, finite=weights)
    strange = sorted(set(table["sample"].unique()) - set(samples))
    if strange:
        raise ContractError(
            f"expected the samples of the input in column 'sample' of table {name!r}, "
            f"found {strange[0]!r}"
        )
    return table


def _info(settings: Settings, samples: Mapping[str, Any]) -> dict[str, Any]:
    channel = settings.channel
    return {
        "channel": channel.name,
        "release": settings.data.release,
        "luminosity_fb": settings.data.luminosity,
        "observable": channel.observable,
        "features": list(channel.features),
        "fit_range": list(channel.fit_range),
        "keep_range": list(KEEP_RANGE.get(channel.name, channel.fit_range)),
        "sidebands": [list(sideband) for sideband in channel.sidebands],
        "signal_window": list(channel.signal_window),
        "blind": list(channel.blind),
        "samples": dict(samples),
    }


def task_variables(settings: Settings) -> dict[str, Any]:
    """What `task.md` needs: the same facts that the solution gets, without the samples."""
    return _info(settings, {})


def blocked(context: StageContext) -> str | None:
    """Why there is nothing to preprocess, or None: not one sample has a converted row."""
    folders = {context.folder("convert"), context.upstream["convert"] / "output"}
    paths = [path for folder in sorted(folders) for path in sorted(folder.glob("*.parquet"))]
    if any(count_rows(path) for path in paths):
        return None
    return "no event of any sample passed the selection of convert; there is nothing to analyse"


CONTRACT = PreprocessContract()
