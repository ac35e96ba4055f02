"""The figures of a point: what each is called, says, shows and was made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import hist
from matplotlib.figure import Figure

from pipeline.report import captions
from pipeline.report.content import Content
from pipeline.report.figures.boundaries import draw_boundaries
from pipeline.report.figures.classifier import draw_roc, draw_scores
from pipeline.report.figures.cutflow import draw_cut_flow
from pipeline.report.figures.likelihood import draw_correlation, draw_nuisances, draw_profile
from pipeline.report.figures.spectrum import draw_categories, draw_spectrum
from pipeline.report.figures.stack import draw_stack
from pipeline.report.figures.style import Marks, math_label
from pipeline.report.folder import PointFolder
from pipeline.report.notation import interval
from pipeline.report.numbers.likelihood import nuisance_columns

Columns = Mapping[str, list[Any]]


@dataclass(frozen=True)
class Plate:
    """One figure, ready to be drawn and exported.

    `columns` are its numbers as one table; `histograms` the same in bins, where it has bins.
    """

    name: str
    title: str
    caption: str
    files: tuple[str, ...]
    draw: Callable[[], Figure]
    columns: Columns
    histograms: Mapping[str, hist.Hist[Any]] = field(default_factory=dict)


def marks_of(point: PointFolder) -> Marks:
    """What is written on every figure of a point."""
    settings = point.settings
    energy = re.search(r"(\d+)tev", settings.data.release)
    luminosity = rf"{settings.data.luminosity:g} fb$^{{\mathrm{{-1}}}}$"
    return Marks(
        process=math_label(settings.channel.title),
        energy=energy.group(1) if energy else "13",
        luminosity=f"part of {luminosity}" if point.partial else luminosity,
        synthetic=settings.data.labelled_synthetic,
    )


def gallery(point: PointFolder, content: Content) -> Iterator[Plate]:
    """All figures that there are numbers for, in the order of the page."""
    marks = marks_of(point)
    labels = {
        name: math_label(process.label or name)
        for name, process in point.settings.channel.processes.items()
    }
    yield from _masses(point, content, marks)
    yield from _selection(content, marks, labels)
    yield from _fit(point, content, marks)


def _masses(point: PointFolder, content: Content, marks: Marks) -> Iterator[Plate]:
    channel = point.settings.channel
    axis = f"${channel.observable_label}$"
    if found := content.stack:
        stack = found.value
        yield Plate(
            "stack", "Mass spectrum and simulation" if stack.layers else "Mass spectrum",
            captions.stack(stack, channel), found.files,
            lambda: draw_stack(stack, axis, marks), stack.columns(),
            stack.histograms(channel.observable),
        )  # fmt: skip
    if not (sourced := content.spectra):
        return
    shown = sourced.value
    yield Plate(
        "spectrum", "Mass spectrum",
        captions.spectrum(shown.inclusive, channel, len(shown.categories)), sourced.files,
        lambda: draw_spectrum(shown.inclusive, axis, marks), shown.inclusive.columns(),
        shown.inclusive.histograms(channel.observable),
    )  # fmt: skip
    if (weighted := shown.weighted) is not None:
        yield Plate(
            "spectrum_weighted", "Weighted mass spectrum", captions.weighted(weighted, channel),
            sourced.files,
            lambda: draw_spectrum(weighted, axis, marks, (WEIGHTING,), "Sum of weights"),
            weighted.columns(), weighted.histograms(channel.observable),
        )  # fmt: skip
    if shown.categories:
        columns: dict[str, list[Any]] = {}
        histograms: dict[str, hist.Hist[Any]] = {}
        for category in shown.categories:
            for name, values in category.columns().items():
                columns.setdefault(name, []).extend(values)
            histograms |= category.histograms(channel.observable, f"{category.title}: ")
        yield Plate(
            "spectrum_categories", "Mass spectra of the categories",
            captions.categories(shown, channel), sourced.files,
            lambda: draw_categories(shown.categories, axis, marks), columns, histograms,
        )  # fmt: skip


WEIGHTING = r"ln(1 + $s/b$) weighted sum"


def _selection(content: Content, marks: Marks, labels: dict[str, str]) -> Iterator[Plate]:
    if flow := content.cut_flow:
        yield Plate(
            "cutflow", "Cut flow", captions.cut_flow(flow.value), flow.files,
            lambda: draw_cut_flow(flow.value, labels, marks), flow.value.columns(),
            flow.value.histograms(),
        )  # fmt: skip
    if scores := content.classifier:
        yield Plate(
            "roc", "Classifier: ROC curves", captions.roc(scores.value), scores.files,
            lambda: draw_roc(scores.value, labels, marks), scores.value.roc_columns(),
        )  # fmt: skip
        yield Plate(
            "scores", "Classifier: score by class", captions.scores(scores.value), scores.files,
            lambda: draw_scores(scores.value, labels, marks), scores.value.shape_columns(),
            scores.value.histograms(),
        )  # fmt: skip
    if search := content.boundaries:
        yield Plate(
            "boundaries", "Boundaries against significance", captions.boundaries(search.value),
            search.files, lambda: draw_boundaries(search.value, marks), search.value.columns(),
        )  # fmt: skip


def _fit(point: PointFolder, content: Content, marks: Marks) -> Iterator[Plate]:
    if scan := content.profile:
        data = point.settings.data
        injected = data.mu if data.synthetic else None
        best = interval(scan.value.best, scan.value.error)
        text = rf"$\mu$ = {best.value}$^{{\mathrm{{{best.up}}}}}_{{\mathrm{{{best.down}}}}}$"
        yield Plate(
            "likelihood", "Profile likelihood", captions.profile(scan.value, injected), scan.files,
            lambda: draw_profile(scan.value, injected, text, marks), scan.value.columns(),
        )  # fmt: skip
    if pulls := content.nuisances:
        yield Plate(
            "nuisances", "Nuisance parameters", captions.nuisances(pulls.value), pulls.files,
            lambda: draw_nuisances(pulls.value, marks), nuisance_columns(pulls.value),
        )  # fmt: skip
    if matrix := content.correlation:
        yield Plate(
            "correlation", "Correlation of the fitted parameters",
            captions.correlation(matrix.value), matrix.files,
            lambda: draw_correlation(matrix.value, marks), matrix.value.columns(),
        )  # fmt: skip
