"""Trying a solution of measure: Asimov data, and pseudo-data that hold twice the signal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.evidence import Finding
from pipeline.settings import Settings
from pipeline.stages.contract import StageContext
from pipeline.stages.measure.checks import (
    CLOSURE,
    CLOSURE_SIGMAS,
    ERROR_RANGE,
    Counts,
    direct,
    expected_spectrum,
)
from pipeline.stages.measure.contract import CONTRACT
from pipeline.stages.measure.hints import hints
from pipeline.stages.trial import Slice, StageHint, at_least_one, holds, near

INJECTED = 2.0
SEED = 20_251
DRAWS = 200
"""Draws among which the pseudo-data are looked for; two of three will do."""
TYPICAL = 1.0
"""Errors of mu by which a counting of the chosen pseudo-data may miss the injected mu, so that no
correct fit fails by chance at `FAR`."""
FAR = 3.0
"""Errors of mu by which a fit to pseudo-data may miss what was injected."""
DENSITY = 0.1
"""Share by which the integral of a fitted curve may miss the number of events."""
ALIKE = 0.25
"""Relative, expected against observed significance on Asimov data."""
ROUNDING = 1e-3
Arguments = dict[str, Any]


class MeasureTrial:
    """Slices, findings and hints of measure."""

    def slices(self, context: StageContext) -> Iterator[Slice]:
        """The Asimov data that a solver may see, and pseudo-data drawn around them."""
        return at_least_one(_slices(context), "measure", "signal and background in the categories")

    def findings(self, given: Slice, product: Any, context: StageContext) -> list[Finding]:
        """A valid minimum, numbers that fit each other, and the injected mu back."""
        model, categories = given.arguments["model"], given.arguments["categories"]
        asimov = model["data_kind"] == "asimov"
        checks = direct(product, model)
        found = [Finding(c.name, c.passed, str(c.expected), _shown(c.found)) for c in checks]
        error = _error(product)
        injected = 1.0 if asimov else INJECTED
        allowed = CLOSURE * injected + CLOSURE_SIGMAS * error if asimov else FAR * error
        return [
            *found,
            _errors(product, model),
            near(f"an injected mu of {injected:g} comes back", injected, product["mu"], allowed),
            *([_possible(error, categories), _alike(product)] if asimov else []),
            _profile(product, error),
            _correlation(product),
            *_curves(product, categories),
        ]

    def hints(self, settings: Settings) -> tuple[StageHint, ...]:
        """No random numbers, nothing written down."""
        return hints(settings)


TRIAL = MeasureTrial()


def _slices(context: StageContext) -> Iterator[Slice]:
    # Asimov data also where a run is unblinded: the code is frozen before it sees any data.
    hidden = replace(context.settings, unblind=False)
    arguments = CONTRACT.arguments(replace(context, settings=hidden, sealed=False))
    if not any(float(c["signal"]["weight"].sum()) > 0 for c in arguments["categories"]):
        return
    yield Slice("Asimov data, mu of 1", arguments)
    yield Slice(f"pseudo-data, injected mu of {INJECTED:g}", _pseudo_data(arguments))


def _pseudo_data(arguments: Mapping[str, Any]) -> Arguments:
    """Poisson counts around the expectation for the injected mu, as an array of masses.

    The first draw is taken whose counting of the signal is near the truth.
    """
    model, categories = arguments["model"], arguments["categories"]
    spectra = [expected_spectrum(category, model) for category in categories]
    rng = np.random.default_rng(SEED)
    drawn = [np.zeros(0)] * len(spectra)
    for _ in range(DRAWS):
        drawn = [rng.poisson(b + INJECTED * s).astype(np.float64) for _, b, s in spectra]
        if abs(_pull(drawn, spectra)) <= TYPICAL:
            break
    made = [
        {**category, "data": _masses(edges, counts, rng)}
        for category, (edges, _, _), counts in zip(categories, spectra, drawn, strict=True)
    ]
    return {"categories": made, "model": {**model, "data_kind": "data"}}


def _pull(drawn: Sequence[Counts], spectra: Sequence[tuple[Counts, Counts, Counts]]) -> float:
    """Distance of the best linear estimate of mu from the injected one, in its errors.

    Σ s (n - e) / e over √Σ s² / e: the score of the likelihood at the injected mu.
    """
    score = information = 0.0
    for counts, (_, background, signal) in zip(drawn, spectra, strict=True):
        expected = background + INJECTED * signal
        some = expected > 0
        score += float(np.sum((signal * (counts - expected))[some] / expected[some]))
        information += float(np.sum(signal[some] ** 2 / expected[some]))
    return score / math.sqrt(information) if information > 0 else 0.0


def _masses(edges: Counts, counts: Counts, rng: np.random.Generator) -> Counts:
    """One mass per event, anywhere in its bin."""
    bins = np.repeat(np.arange(len(counts)), counts.astype(np.int64))
    return np.asarray(edges[bins] + rng.random(len(bins)) * np.diff(edges)[bins])


def _error(product: Mapping[str, Any]) -> float:
    down, up = product["mu_err"]
    return float(up - down) / 2


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _errors(product: Mapping[str, Any], model: Mapping[str, Any]) -> Finding:
    down, up = product["mu_err"]
    parts = product["cross_section_err_pb"]
    problems = [] if down < 0 < up else [f"mu_err is [{down:.4g}, {up:.4g}]"]
    if not parts["stat"][0] < 0 < parts["stat"][1]:
        problems.append(f"the statistical error is {parts['stat']}")
    scale = model["sm_cross_section_pb"]
    for k, total in ((0, down), (1, up)):
        if abs(parts["stat"][k]) > 1.05 * abs(total) * scale:
            problems.append(f"the statistical error {parts['stat'][k]:.4g} pb is larger than all "
                            f"of them together, {total * scale:.4g} pb")  # fmt: skip
    return holds("errors are positive, and the statistical one is a part", problems, "they are")


def _possible(error: float, categories: Sequence[Mapping[str, Any]]) -> Finding:
    """The error against 1/√Σ s²/n: that of a counting in bins where all but mu is known."""
    information = 0.0
    for category in categories:
        edges, total = (np.asarray(category["data"][key], float) for key in ("bins", "counts"))
        mass, weight = category["signal"]["mass"], category["signal"]["weight"]
        signal = np.maximum(np.histogram(mass, edges, weights=weight)[0], 0.0)
        information += float(np.sum(signal[total > 0] ** 2 / total[total > 0]))
    least = 1 / math.sqrt(information) if information > 0 else math.inf
    low, high = ERROR_RANGE
    said = f"{low:g} to {high:g} times {least:.4g}, that of a counting"
    return Finding("the error of mu is possible", low * least <= error <= high * least,
                   said, f"{error:.4g}")  # fmt: skip


def _alike(product: Mapping[str, Any]) -> Finding:
    expected, observed = (product["significance"][k] for k in ("expected", "observed"))
    passed = expected > 0 and abs(observed - expected) <= ALIKE * expected + 0.1
    title = "Asimov data: observed and expected significance agree"
    return Finding(title, passed, f"{expected:.4g} (within {ALIKE:.0%})", f"{observed:.4g}")


def _profile(product: Mapping[str, Any], error: float) -> Finding:
    """The likelihood ratio has its minimum, zero, at mu."""
    scan = product["profile"]
    mu, rise = np.asarray(scan["mu"]), np.asarray(scan["two_delta_nll"])
    if not len(mu):
        return Finding("the profile has its minimum at mu", False, "points", "none")
    at, least = float(mu[rise.argmin()]), float(rise.min())
    passed = abs(at - product["mu"]) <= 0.5 * error and abs(least) <= 0.25
    return Finding("the profile has its minimum at mu", passed,
                   f"0 at {product['mu']:.4g}", f"{least:.4g} at {at:.4g}")  # fmt: skip


def _correlation(product: Mapping[str, Any]) -> Finding:
    matrix: npt.NDArray[np.float64] = np.asarray(product["correlation"]["matrix"], dtype=np.float64)
    problems = []
    if matrix.size and np.abs(np.diagonal(matrix) - 1).max() > ROUNDING:
        problems.append("the diagonal is not 1")
    if matrix.size and np.abs(matrix - matrix.T).max() > ROUNDING:
        problems.append("it is not symmetric")
    if matrix.size and np.abs(matrix).max() > 1 + ROUNDING:
        problems.append(f"it holds {float(np.abs(matrix).max()):.4g}")
    return holds("correlations are correlations", problems, "1 on the diagonal, none beyond")


def _curves(product: Mapping[str, Any], categories: Sequence[Mapping[str, Any]]) -> list[Finding]:
    negative, other = [], []
    for given, fitted in zip(categories, product["categories"], strict=True):
        curve = {k: np.asarray(v, dtype=np.float64) for k, v in fitted["curve"].items()}
        name = fitted["name"]
        low = min(float(curve[k].min(initial=0.0)) for k in ("background", "total"))
        if low < -ROUNDING:
            negative.append(f"{name} falls to {low:.4g}")
        events = _events(given["data"], curve["mass"])
        area = float(np.trapezoid(curve["total"], curve["mass"]))
        if abs(area - events) > DENSITY * events + 5 * math.sqrt(events) + 1:
            other.append(f"{name}: the area is {area:.4g}, the events are {events:.4g}")
    return [
        holds("fitted curves are not negative", negative, "0 or more"),
        holds("fitted curves integrate to the events", other, "areas that are the events"),
    ]


def _events(data: Any, mass: npt.NDArray[np.float64]) -> float:
    """Events of a category between the ends of its curve."""
    if not len(mass):
        return 0.0
    low, high = float(mass.min()), float(mass.max())
    if isinstance(data, Mapping):
        centres = (np.asarray(data["bins"])[1:] + np.asarray(data["bins"])[:-1]) / 2
        return float(np.asarray(data["counts"])[(centres >= low) & (centres <= high)].sum())
    values = np.asarray(data, dtype=np.float64)
    return float(((values >= low) & (values <= high)).sum())
