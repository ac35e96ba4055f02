"""How measure is judged: closure of injected signal strengths, and μ against the reference's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.judge.guard import depends, difference, near, same_twice
from pipeline.judge.judging import conclude
from pipeline.judge.request import JudgeRequest
from pipeline.judge.rerun import Answer, FrozenSolution, Solution
from pipeline.judge.verdict import Check, GuardCheck, Verdict
from pipeline.stages.measure.asimov import expected_counts
from pipeline.stages.measure.contract import CONTRACT

INJECTED = (0.0, 1.0, 2.0, 5.0)
CLOSURE = 0.05
"""Of max(1, mu): what interpolation, binning and the signal's parametrisation may cost."""
CLOSURE_SIGMAS = 0.5
"""Of the error: the injected background is another smooth function than the one that is fitted,
and what that may bias is a nuisance parameter (spurious signal), part of the error."""
RESPONSE_SIGMAS = 0.1
"""Of the error, for the difference of two injections, in which that bias drops out."""
ERROR_RANGE = (0.9, 3.0)
"""Error of mu in units of the least possible one, that of a fit in which only mu is unknown."""
INTERVAL_RANGE = (1.4, 3.0)
"""Width of the 95 % interval over that of the 68.3 % one: 1.96 for a parabola, more with few
events."""
STATISTICAL, STATISTICAL_ERROR = 0.1, 0.1
"""In errors of the reference; a tenth of an error is another minimiser or binning."""
PHYSICS, PHYSICS_ERROR = 0.5, 0.2
"""In errors of the reference; half an error is another, defensible choice of functions."""
CROSS_SECTION_FACTOR = 1.7
"""By which the guard changes the Standard Model's cross-section."""
ARITHMETIC = 1e-6
Counts = npt.NDArray[np.float64]


def judge(request: JudgeRequest) -> Verdict:
    """The verdict on measure; its result is the sealed pass, with the blinded events."""
    found = CONTRACT.read(request.found("measurement.json").parent)
    arguments = CONTRACT.arguments(request.context(sealed=True))
    checks = direct(found, arguments["model"])
    guard: list[GuardCheck] = []
    if request.solution_path is not None:
        guard = closure(FrozenSolution.of(request, CONTRACT), arguments)
    if not request.is_reference:
        checks += ladder(found, CONTRACT.read(request.expected("measurement.json").parent))
    return conclude(request, checks, guard)


def direct(found: Mapping[str, Any], model: Mapping[str, Any]) -> list[Check]:
    """Requirements that need no reference: a valid minimum and numbers that fit each other."""
    mu, (down, up) = found["mu"], found["mu_err"]
    low, high = found["mu_interval_95"]
    cross_section = mu * model["sm_cross_section_pb"]
    ratio = (high - low) / (up - down) if up > down else math.inf
    valid = bool(found["minimiser"]["valid"])
    nested = low <= mu + down <= mu <= mu + up <= high
    shortest, longest = INTERVAL_RANGE
    return [
        Check("the minimum is valid", valid, True, valid),
        Check("intervals contain mu and each other", nested, "68 % inside 95 %",
              f"{low:.3f} [{mu + down:.3f} {mu:.3f} {mu + up:.3f}] {high:.3f}"),
        Check("width of the 95 % interval", shortest <= ratio <= longest,
              f"{shortest:g} to {longest:g} times that of the 68 % one", ratio),
        Check("cross-section is mu times the Standard Model's",
              abs(found["cross_section_pb"] - cross_section) <= ARITHMETIC * abs(cross_section),
              cross_section, found["cross_section_pb"]),
    ]  # fmt: skip


def ladder(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[Check]:
    """The rungs: the same bits; then mu and its error, in units of the reference's error."""
    where = difference(expected, found)
    said = "the same bits"
    checks = [Check("measurement", not where, said, where or said, "", "exact")]
    mu, error = float(expected["mu"]), _error(expected)
    away = abs(found["mu"] - mu)
    relative = abs(_error(found) / error - 1)
    checks += [
        Check("mu", away <= STATISTICAL * error, mu, found["mu"],
              f"allowed: {STATISTICAL:g} of the error {error:.4g}", "statistical"),
        Check("error of mu", relative <= STATISTICAL_ERROR, error, _error(found),
              f"allowed: {STATISTICAL_ERROR:.0%}", "statistical"),
        Check("mu", away <= PHYSICS * error, mu, found["mu"],
              f"allowed: {PHYSICS:g} of the error {error:.4g}", "physics"),
        Check("error of mu", relative <= PHYSICS_ERROR, error, _error(found),
              f"allowed: {PHYSICS_ERROR:.0%}", "physics"),
    ]  # fmt: skip
    return checks


def closure(solution: Solution, arguments: Mapping[str, Any]) -> list[GuardCheck]:
    """Signal strengths of 0, 1, 2 and 5, injected into what the categories expect, come back.

    The data are ours: the simulated signal's histogram, times mu, on the smooth background that
    the sidebands give. With mu = 2 the Standard Model's cross-section is changed too.
    """
    model = {**arguments["model"], "data_kind": "asimov"}
    spectra = [expected_spectrum(category, model) for category in arguments["categories"]]
    answers: dict[float, Answer] = {}
    guard: list[GuardCheck] = []
    for mu in INJECTED:
        given = injected(arguments["categories"], spectra, mu, model)
        if mu == 2:
            given["model"]["sm_cross_section_pb"] *= CROSS_SECTION_FACTOR
        answers[mu] = solution.ask(given)
        if answers[mu].failed:
            return [*guard, answers[mu].guard(f"injected mu of {mu:g}")]
        guard.append(_comes_back(answers[mu].product, mu))
        if mu == 1:
            guard.append(same_twice(solution, given, answers[mu]))
            guard.append(_error_size(answers[mu].product, spectra))
    none, most = answers[INJECTED[0]].product, answers[INJECTED[-1]].product
    injection = INJECTED[-1] - INJECTED[0]
    allowed = CLOSURE * injection + RESPONSE_SIGMAS * _error(none)
    more = most["mu"] - none["mu"]
    guard.append(near("mu rises as the injected mu does", more, injection, allowed))
    two = answers[2.0].product
    right = two["mu"] * arguments["model"]["sm_cross_section_pb"] * CROSS_SECTION_FACTOR
    title = "the cross-section follows the Standard Model's"
    guard.append(near(title, two["cross_section_pb"], right, ARITHMETIC * abs(right)))
    guard.append(depends("the profile follows the data", most["profile"], none["profile"]))
    return guard


def expected_spectrum(
    category: Mapping[str, Any], model: Mapping[str, Any]
) -> tuple[Counts, Counts, Counts]:
    """Bin edges, and the expected background and signal (mu = 1) per bin of a category."""
    made = expected_counts(dict(category), dict(model), category["sidebands"])
    edges = np.asarray(made["bins"], dtype=np.float64)
    mass, weight = category["signal"]["mass"], category["signal"]["weight"]
    signal = np.maximum(np.histogram(mass, edges, weights=weight)[0], 0.0)
    background = np.maximum(np.asarray(made["counts"], dtype=np.float64) - signal, 0.0)
    return edges, background, signal


def injected(
    categories: Sequence[Mapping[str, Any]],
    spectra: Sequence[tuple[Counts, Counts, Counts]],
    mu: float,
    model: Mapping[str, Any],
) -> dict[str, Any]:
    """Arguments of measure with Asimov data of signal strength `mu`."""
    made = []
    for category, (edges, background, signal) in zip(categories, spectra, strict=True):
        counts = background + mu * signal
        made.append({**category, "data": {"bins": edges.tolist(), "counts": counts.tolist()}})
    return {"categories": made, "model": dict(model)}


def _comes_back(product: Mapping[str, Any], mu: float) -> GuardCheck:
    allowed = CLOSURE * max(1.0, mu) + CLOSURE_SIGMAS * _error(product)
    detail = f"error {_error(product):.4g}"
    return near(f"an injected mu of {mu:g} comes back", product["mu"], mu, allowed, detail)


def _error_size(
    product: Mapping[str, Any], spectra: Sequence[tuple[Counts, Counts, Counts]]
) -> GuardCheck:
    """The error against 1/√Σ s²/(s+b): that of a counting in bins where all but mu is known."""
    information = 0.0
    for _, background, signal in spectra:
        total = signal + background
        information += float(np.sum(signal[total > 0] ** 2 / total[total > 0]))
    least = 1 / math.sqrt(information) if information > 0 else math.inf
    ratio = _error(product) / least
    low, high = ERROR_RANGE
    return GuardCheck("the error of mu is possible", low <= ratio <= high,
                      f"{low:g} to {high:g} times {least:.4g}", ratio)  # fmt: skip


def _error(product: Mapping[str, Any]) -> float:
    """Half of the width of the 68.3 % interval."""
    down, up = product["mu_err"]
    return float(up - down) / 2
