"""What each figure shows, in the words of a caption and with its own numbers."""

from __future__ import annotations

import numpy as np

from pipeline.report.notation import interval, number, percent, signed, whole
from pipeline.report.numbers.boundaries import BoundarySearch
from pipeline.report.numbers.classifier import Classifier
from pipeline.report.numbers.cutflow import CutFlow
from pipeline.report.numbers.likelihood import Correlation, Nuisance, Profile, parameter_name
from pipeline.report.numbers.spectrum import Spectra, Spectrum
from pipeline.report.numbers.stack import Stack
from pipeline.settings import ChannelSettings


def _range(window: tuple[float, float]) -> str:
    return f"{window[0]:g}–{window[1]:g} GeV"


def _hidden(hidden: tuple[float, float] | None) -> str:
    return f" Data in {_range(hidden)} are blinded and not shown." if hidden else ""


def spectrum(shown: Spectrum, channel: ChannelSettings, categories: int) -> str:
    over = " over all categories" if categories > 1 else ""
    text = f"The {whole(shown.events)} selected events of data in bins of {shown.width:g} GeV."
    if shown.fit is None:
        return text + _hidden(shown.hidden)
    signal, background = shown.fit.inside(*channel.signal_window)
    return (
        f"{text} Lines: the fitted sum of signal and background{over}, and the background "
        f"in it. Middle: data minus fitted background, with the fitted signal. Below: "
        f"(data − fit) / error of data. In {_range(channel.signal_window)} the fit has "
        f"{number(signal, 1)} signal events above {whole(background)} of background."
        + _hidden(shown.hidden)
    )


def weighted(shown: Spectrum, channel: ChannelSettings) -> str:
    text = (
        "As above, but every event counts with ln(1 + s/b) of its category, s and b being the "
        f"signal and background in {_range(channel.signal_window)}: pure categories count more. "
        "Errors are the square roots of the sums of squared weights."
    )
    return text + _hidden(shown.hidden)


def categories(shown: Spectra, channel: ChannelSettings) -> str:
    parts = []
    for category in shown.categories:
        if category.fit is not None:
            signal, background = category.fit.inside(*channel.signal_window)
            parts.append(f"{category.title}: {number(signal, 1)} over {number(background, 1)}")
    fitted = f" Fitted signal over background in {_range(channel.signal_window)}: " if parts else ""
    return (
        f"The same fit in each of the {len(shown.categories)} categories of the classifier's "
        f"score, in bins of {shown.categories[0].width:g} GeV, with data minus fitted background "
        f"below.{fitted}{'; '.join(parts)}{'.' if parts else ''}{_hidden(shown.inclusive.hidden)}"
    )


def stack(shown: Stack, channel: ChannelSettings) -> str:
    width = float(shown.data.widths[0])
    text = (
        f"The {whole(float(shown.data.values.sum()))} selected events of data in "
        f"{_range((float(shown.edges[0]), float(shown.edges[-1])))} in bins of {width:g} GeV"
    )
    if not shown.layers:
        return f"{text}. No simulation of these data could be normalised.{_hidden(shown.hidden)}"
    background = sum(layer.events for layer in shown.backgrounds)
    signal = sum(layer.events for layer in shown.signals)
    return (
        f"{text}, beside simulation normalised to the luminosity: {number(background, 1)} events "
        f"of background and {number(signal, 1)} of a Standard Model Higgs boson (before the fit). "
        "Below: data minus background, with the expected signal." + _hidden(shown.hidden)
    )


def cut_flow(flow: CutFlow) -> str:
    parts = [
        f"{percent(row.fractions[-1], 2)} of {'data' if row.role == 'data' else row.name}"
        for row in flow.totals
    ]
    return (
        f"Share of the events read that is left after each cut, not weighted. After the last cut: "
        f"{', '.join(parts)}."
    )


def roc(shown: Classifier) -> str:
    return (
        "Share of background rejected against share of signal kept, for every threshold on the "
        f"out-of-fold score. The area under the curve of all signal is {shown.rocs[0].auc:.3f}."
    )


def scores(shown: Classifier) -> str:
    number_of = {shape.role: shape.rows for shape in shown.shapes}
    data = (
        f", and {whole(number_of['data'])} events of tight, isolated data in the same sidebands, "
        "which the classifier did not learn from"
        if "data" in number_of
        else ""
    )
    return (
        "The score of each signal process and of the background from data (not tight or not "
        f"isolated photons, {whole(number_of['background'])} events of the sidebands){data}. Every "
        "class is normalised to one."
    )


def boundaries(search: BoundarySearch) -> str:
    accepted = search.accepted
    rise = search.combined / search.inclusive - 1 if search.inclusive else 0.0
    rejected = [step for step in search.steps if not step.accepted]
    end = (
        f" The search ended because the next best boundary gains only {percent(rejected[-1].gain)}."
        if rejected
        else ""
    )
    return (
        f"Expected significance (Asimov, categories in quadrature) as boundaries are added one by "
        f"one. {len(accepted)} accepted: from {number(search.inclusive)} to "
        f"{number(search.combined)} standard deviations ({signed(100 * rise, 1)} %).{end}"
    )


def profile(scan: Profile, injected: float | None) -> str:
    best = interval(scan.best, scan.error)
    text = f"Its minimum is at μ = {best.plain}"
    if scan.interval_95 and None not in scan.interval_95:
        low, high = scan.interval_95
        text += f"; the 95 % interval is {number(low)} to {number(high)}"
    truth = f" The data were generated with μ = {injected:g}." if injected is not None else ""
    return (
        f"Twice the rise of the negative log-likelihood against the signal strength. {text}.{truth}"
    )


def nuisances(parameters: tuple[Nuisance, ...]) -> str:
    largest = max(parameters, key=lambda n: abs(n.pull))
    first = max(parameters, key=lambda n: n.size)
    impact = (
        f" Right: how far μ moves when a parameter is moved by its error; most by "
        f"{parameter_name(first.name)} "
        f"({number(first.size, 3)})."
        if first.size > 0
        else ""
    )
    return (
        f"Fitted values and errors of the {len(parameters)} constrained parameters, in units of "
        f"their errors before the fit (bands: 1 and 2). The largest pull is "
        f"{signed(largest.pull)} ({parameter_name(largest.name)}).{impact}"
    )


def correlation(matrix: Correlation) -> str:
    if "mu" not in matrix.names:
        return "Correlation coefficients of the fitted parameters, in per cent."
    row = matrix.matrix[matrix.names.index("mu")].copy()
    row[matrix.names.index("mu")] = 0.0
    other = int(np.argmax(np.abs(row)))
    strongest = parameter_name(matrix.names[other])
    return (
        "Correlation coefficients of the fitted parameters, in per cent. The signal strength "
        f"correlates most with {strongest} ({signed(100 * row[other], 0)} %)."
    )
