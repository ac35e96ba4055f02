"""Everything that the report shows of one point, computed from its files and not yet drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pipeline.physics.regions import inside_any
from pipeline.report.errors import ReportError
from pipeline.report.expected import simulated_processes, window_yields
from pipeline.report.folder import PointFolder
from pipeline.report.numbers.binned import edges_between
from pipeline.report.numbers.boundaries import BoundarySearch, boundary_search
from pipeline.report.numbers.classifier import Classifier, classifier
from pipeline.report.numbers.cutflow import CutFlow, cut_flow
from pipeline.report.numbers.likelihood import (
    Correlation,
    Nuisance,
    Profile,
    correlation,
    nuisances,
    profile,
)
from pipeline.report.numbers.spectrum import Fit, Spectra, spectra
from pipeline.report.numbers.stack import Stack, stack
from pipeline.report.numbers.yields import CategoryYields
from pipeline.report.observed import ObservedData, observed_data

T = TypeVar("T")
BIN_WIDTHS = {"functions": (1.0, 2.5), "template": (2.5, 5.0)}
"""GeV: bins of the spectrum of all events and of one category, by the background of the fit."""
STACK_RANGE, STACK_WIDTH = (80.0, 170.0), 2.5
"""GeV: the range and bins in which four leptons are compared with simulation."""


@dataclass(frozen=True)
class Sourced(Generic[T]):
    """Numbers with the files that they were computed from (relative to the run directory)."""

    value: T
    files: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """What there is to show; None where a stage has no output."""

    data: ObservedData | None
    measurement: Sourced[dict[str, Any]] | None
    spectra: Sourced[Spectra] | None
    stack: Sourced[Stack] | None
    cut_flow: Sourced[CutFlow] | None
    classifier: Sourced[Classifier] | None
    boundaries: Sourced[BoundarySearch] | None
    profile: Sourced[Profile] | None
    nuisances: Sourced[tuple[Nuisance, ...]] | None
    correlation: Sourced[Correlation] | None
    yields: Sourced[tuple[CategoryYields, ...]] | None


def read_content(point: PointFolder) -> Content:
    """Read the tables of a point and compute what its figures and tables show."""
    data = observed_data(point)
    measurement = _measurement(point)
    found = _spectra(point, data, measurement)
    return Content(
        data=data,
        measurement=measurement,
        spectra=found,
        stack=_stack(point, data),
        cut_flow=_cut_flow(point),
        classifier=_classifier(point),
        boundaries=_boundaries(point),
        profile=_of(measurement, profile),
        nuisances=_of(measurement, nuisances),
        correlation=_of(measurement, correlation),
        yields=_yields(point, data, found),
    )


def _of(
    measurement: Sourced[dict[str, Any]] | None, compute: Callable[[dict[str, Any]], T | None]
) -> Sourced[T] | None:
    """What `compute` finds in the measurement, or None if it finds nothing."""
    found = compute(measurement.value) if measurement is not None else None
    return Sourced(found, measurement.files) if measurement is not None and found else None


def _measurement(point: PointFolder) -> Sourced[dict[str, Any]] | None:
    """The unblinded fit; what a failed or blocked stage left behind does not count."""
    path = point.own("measure", "measurement.json")
    if path is None or point.results["measurement"] is None:
        return None
    return Sourced(point.json(path), (path,))


def _spectra(
    point: PointFolder, data: ObservedData | None, measurement: Sourced[dict[str, Any]] | None
) -> Sourced[Spectra] | None:
    channel = point.settings.channel
    if data is None or (channel.measure.background == "template" and measurement is None):
        return None
    fits = measurement.value["categories"] if measurement is not None else []
    names, masses = data.by_category()
    fits = _in_order(fits, names)
    widths = BIN_WIDTHS[channel.measure.background]
    found = spectra(masses, names, fits, channel.fit_range, widths, data.hidden)
    return Sourced(found, data.files + (measurement.files if measurement else ()))


def _in_order(fits: Sequence[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The fit's categories in the order of `names`."""
    if len(fits) == len(names) == 1 or not fits:
        return list(fits)
    by_name = {fit["name"]: fit for fit in fits}
    if set(by_name) != set(names):
        raise ReportError(
            f"expected the categories {list(names)!r} of categories.json in measurement.json, "
            f"found {list(by_name)!r}; run the stage measure again on these categories"
        )
    return [by_name[name] for name in names]


def _stack(point: PointFolder, data: ObservedData | None) -> Sourced[Stack] | None:
    """Only for channels whose background is simulated."""
    if point.settings.channel.measure.background != "template" or data is None:
        return None
    simulated, files = simulated_processes(point)
    edges = edges_between(*STACK_RANGE, STACK_WIDTH)
    return Sourced(stack(data.masses, simulated, edges, data.hidden), (*data.files, *files))


def _cut_flow(point: PointFolder) -> Sourced[CutFlow] | None:
    found = cut_flow(point.results["cutflow"], point.results["samples"])
    path = point.made_by("convert", "cutflow.json")
    return Sourced(found, (path or point.results_file,)) if found is not None else None


def _classifier(point: PointFolder) -> Sourced[Classifier] | None:
    paths = [point.own("classify", f"{t}.parquet") for t in ("signal", "background", "data")]
    if any(path is None for path in paths):
        return None
    files = tuple(path for path in paths if path is not None)
    channel = point.settings.channel
    columns = ["score", "weight", "process", channel.observable]
    signal, background, data = (point.table(path, columns) for path in files)
    weights = signal["weight"].to_numpy(float)
    rows = {name: (signal["process"] == name).to_numpy() for name in set(signal["process"])}
    names = sorted(rows, key=lambda name: (-weights[rows[name]].sum(), name))
    scores = signal["score"].to_numpy(float)
    if weights.sum() <= 0 or background["weight"].sum() <= 0:
        return None
    sidebands = inside_any(data[channel.observable].to_numpy(float), channel.sidebands)
    search = _boundaries(point)
    accepted = tuple(s.boundary for s in search.value.accepted) if search else ()
    return Sourced(
        classifier(
            {name: (scores[rows[name]], weights[rows[name]]) for name in names},
            (background["score"].to_numpy(float), background["weight"].to_numpy(float)),
            data["score"].to_numpy(float)[sidebands],
            tuple(sorted(accepted)),
        ),
        files,
    )


def _boundaries(point: PointFolder) -> Sourced[BoundarySearch] | None:
    path = point.own("categorize", "categories.json")
    return Sourced(boundary_search(point.json(path)), (path,)) if path is not None else None


def _yields(
    point: PointFolder, data: ObservedData | None, found: Sourced[Spectra] | None
) -> Sourced[tuple[CategoryYields, ...]] | None:
    """Signal, background and data in the signal window, per category."""
    expected = window_yields(point, data) if data is not None else None
    if data is None or expected is None:
        return None
    window = point.settings.channel.signal_window
    counts: Sequence[int | None] = data.in_window(window) or [None] * len(data.names)
    rows = [
        CategoryYields(name, signal, background, count, fit.inside(*window) if fit else None)
        for name, signal, background, count, fit in zip(
            data.names, expected.signal, expected.background, counts, _fits(data, found),
            strict=True,
        )
    ]  # fmt: skip
    return Sourced(tuple(rows), (*data.files, *expected.files))


def _fits(data: ObservedData, found: Sourced[Spectra] | None) -> list[Fit | None]:
    """The fit of each category, or None."""
    if found is None:
        return [None] * len(data.names)
    return [shown.fit for shown in found.value.categories or (found.value.inclusive,)]
