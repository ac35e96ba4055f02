"""The expected signal and background of a point, from its weighted tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.physics.regions import inside
from pipeline.physics.significance import category_index
from pipeline.report.folder import PointFolder
from pipeline.report.numbers.stack import Simulated
from pipeline.report.numbers.yields import Yield, yields_by_process
from pipeline.report.observed import ObservedData

ROLES = ("signal", "background")


def simulated_processes(point: PointFolder) -> tuple[dict[str, Simulated], tuple[str, ...]]:
    """Masses and weights of every process of the preprocessed tables, and the files read."""
    channel = point.settings.channel
    found, files = {}, []
    for role in ROLES:
        path = point.read_by("measure", "preprocess", f"{role}.parquet")
        if path is None:
            continue
        table = point.table(path, [channel.observable, "weight", "process"])
        files.append(path)
        for name in sorted(set(table["process"])):
            rows = table[table["process"] == name]
            about = channel.processes.get(name)
            found[name] = Simulated(
                label=about.label if about and about.label else name,
                role=role,
                masses=rows[channel.observable].to_numpy(float),
                weights=rows["weight"].to_numpy(float),
            )
    return found, tuple(files)


@dataclass(frozen=True)
class WindowYields:
    """Per category: process -> events in the signal window."""

    signal: tuple[Mapping[str, Yield], ...]
    background: tuple[Mapping[str, Yield], ...]
    files: tuple[str, ...]


def window_yields(point: PointFolder, data: ObservedData) -> WindowYields | None:
    """Expected events in the signal window; None where the tables are missing.

    A background from data carries weights that already bring it into the window; a simulated one
    is cut to it.
    """
    stage = "preprocess" if data.scores is None else "classify"
    paths = [point.read_by("measure", stage, f"{role}.parquet") for role in ROLES]
    files = tuple(path for path in paths if path is not None)
    if len(files) < len(ROLES):
        return None
    cut = point.settings.channel.measure.background == "template"
    signal = _by_category(point, files[0], "signal", data, windowed=True)
    background = _by_category(point, files[1], "background", data, windowed=cut)
    return WindowYields(signal, background, files)


def _by_category(
    point: PointFolder, path: str, role: str, data: ObservedData, windowed: bool
) -> tuple[dict[str, Yield], ...]:
    channel = point.settings.channel
    table = point.table(path, [channel.observable, "weight", "process", "score"])
    if windowed:
        table = table[inside(table[channel.observable].to_numpy(float), channel.signal_window)]
    index = np.zeros(len(table), dtype=np.int64)
    if data.boundaries:
        index = category_index(table["score"].to_numpy(float), data.boundaries)
    order = [name for name, process in channel.processes.items() if process.role == role]
    processes, weights = table["process"].to_numpy(), table["weight"].to_numpy(float)
    return tuple(
        yields_by_process(processes[index == i], weights[index == i], order)
        for i in range(len(data.names))
    )
