"""Which background function to use, and how much signal it can fake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.physics.arrays import Bools, Floats
from pipeline.physics.background import FAMILIES, BinnedFamily, Family
from pipeline.physics.fit import Minimiser
from pipeline.physics.goodness import Goodness, chi_square
from pipeline.physics.likelihood import Likelihood, Observation
from pipeline.physics.model import MU, Category, Model, Uncertainties
from pipeline.physics.regions import Range
from pipeline.physics.signal import DoubleCrystalBall

SMALLEST_PROBABILITY = 0.01
"""Of the chi-square in the sidebands."""
SHARE_OF_SIGNAL = 0.10
SHARE_OF_ERROR = 0.20
"""A function may fake 10 % of the expected signal, or 20 % of its statistical error."""
EVENTS_PER_PARAMETER = 5.0
"""A function with more than one shape parameter is tried only with this many sideband events for
each."""
MASS_STEP = 0.5
"""GeV between the masses at which a signal is looked for."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What a choice is based on: binned data in the sidebands and a template of the background."""

    edges: Floats
    """GeV, shape (n+1,)."""
    data: Floats
    """Events, shape (n,); bins outside the sidebands are never looked at."""
    sideband: Bools
    template: Floats
    """Background-like events over the whole range (control region), any normalisation."""
    template_variance: Floats
    """Sums of their squared weights."""

    @property
    def interval(self) -> Range:
        """The whole range in GeV."""
        return float(self.edges[0]), float(self.edges[-1])

    def scaled_template(self) -> tuple[Floats, Floats]:
        """Template and variance with the sideband yield of the data; zeros if there is none."""
        in_sideband = float(self.template[self.sideband].sum())
        events = float(self.data[self.sideband].sum())
        scale = events / in_sideband if in_sideband > 0 else 0.0
        return np.maximum(self.template, 0.0) * scale, self.template_variance * scale**2


@dataclass(frozen=True)
class Candidate:
    """One family of functions, and how it did."""

    family: Family
    sideband: Goodness
    """Fit to the data in the sidebands."""
    spurious_signal: float
    """Signal events fitted to the background template: the largest over the window, with sign."""
    template_error: float
    """What the template's own statistics can fake there (one sigma)."""
    excess: float
    """Largest |spurious signal| that is left after one sigma of that is taken off, anywhere."""
    signal_error: float
    """Statistical error of a signal fitted to as many events as the data have."""
    tolerance: float
    """max(10 % of the expected signal, 20 % of its statistical error), events."""
    accepted: bool


@dataclass(frozen=True)
class Choice:
    """The chosen family, every candidate, and the size of the nuisance parameter."""

    chosen: Candidate
    candidates: tuple[Candidate, ...]

    @property
    def spurious(self) -> float:
        """Signal events (one sigma) by which the fit may be wrong.

        The spurious signal, but not more than the tolerance where the template's statistics
        explain the rest: they are the template's error, not the function's.
        """
        c = self.chosen
        return max(min(abs(c.spurious_signal), c.tolerance), c.excess)


def fit_background(spectrum: Spectrum, chosen: Family) -> tuple[Category, bool]:
    """The family fitted to the data in the sidebands.

    Gives the category, with the yield in the whole range and the shape of the fit, and whether the
    fit is valid.
    """
    category = _category(spectrum, chosen, spectrum.data, None, 1.0)
    model = Model([category], Uncertainties())
    likelihood = Likelihood(model, Observation(spectrum.data, np.empty(0)), spectrum.sideband)
    fit = Minimiser(likelihood).fit({MU: 0.0})
    total = category.background_yield * float(np.exp(fit.values[1]))
    shape = tuple(fit.values[2:].tolist())
    return replace(category, background_yield=total, shape=shape), fit.valid


def choose_background(
    spectrum: Spectrum,
    signal: DoubleCrystalBall,
    signal_yield: float,
    window: Range,
    families: Sequence[Family] = FAMILIES,
) -> Choice:
    """The function with the fewest parameters that passes both tests; with equals, the least bias.

    It must describe the data in the sidebands (chi-square probability above 1 %), and a fit of
    signal plus background to the template may find no more signal than the tolerance, at any mass
    in `window` (GeV), once one sigma of the template's statistics is taken off. Where none passes,
    the one that costs least (excess and statistical error in quadrature) among those that describe
    the sidebands is taken, and its excess enters the fit in full. ATLAS uses such a test in its
    H→γγ measurements (arXiv 1802.04146).
    """
    events = float(spectrum.data[spectrum.sideband].sum())
    tried = [
        _test(spectrum, each, signal, signal_yield, window)
        for each in families
        if each.n_parameters == 1 or events >= EVENTS_PER_PARAMETER * each.n_parameters
    ]
    accepted = [candidate for candidate in tried if candidate.accepted]
    if accepted:
        fewest = min(candidate.family.n_parameters for candidate in accepted)
        simple = [each for each in accepted if each.family.n_parameters == fewest]
        return Choice(min(simple, key=lambda each: abs(each.spurious_signal)), tuple(tried))
    fitting = [each for each in tried if each.sideband.probability > SMALLEST_PROBABILITY]
    if fitting:
        return Choice(
            min(fitting, key=lambda each: float(np.hypot(each.excess, each.signal_error))),
            tuple(tried),
        )
    return Choice(max(tried, key=lambda each: each.sideband.probability), tuple(tried))


def _test(
    spectrum: Spectrum,
    each: Family,
    signal: DoubleCrystalBall,
    signal_yield: float,
    window: Range,
) -> Candidate:
    fitted, valid = fit_background(spectrum, each)
    expected = fitted.background_yield * fitted.background.fractions(np.array(fitted.shape))[0]
    sideband = chi_square(spectrum.data, expected, each.n_parameters + 1, spectrum.sideband)
    template, variance = spectrum.scaled_template()
    masses = np.arange(window[0], window[1] + MASS_STEP / 2, MASS_STEP)
    found: list[tuple[float, float, float]] = []
    for mass in masses if template.sum() > 0 else ():
        category = _category(
            spectrum, each, template, replace(signal, mean=float(mass)), max(signal_yield, 1.0)
        )
        category = replace(category, shape=fitted.shape)
        model = Model([category], Uncertainties())
        likelihood = Likelihood(model, Observation(template, np.empty(0)))
        fit = Minimiser(likelihood).fit()
        valid = valid and fit.valid
        found.append(_signal_found(likelihood, fit.values, variance))
    # Without a template nothing is known of the bias: all that is tolerated must be assumed.
    error = max((stat for _, stat, _ in found), default=0.0)
    tolerance = max(SHARE_OF_SIGNAL * signal_yield, SHARE_OF_ERROR * error)
    worst = max(found, key=lambda one: abs(one[0]), default=(tolerance, 0.0, 0.0))
    excess = max((abs(size) - own for size, _, own in found), default=0.0)
    return Candidate(
        family=each,
        sideband=sideband,
        spurious_signal=worst[0],
        template_error=worst[2],
        excess=max(excess, 0.0),
        signal_error=error,
        tolerance=tolerance,
        accepted=valid and sideband.probability > SMALLEST_PROBABILITY and excess <= tolerance,
    )


def _category(
    spectrum: Spectrum,
    each: Family,
    counts: Floats,
    signal: DoubleCrystalBall | None,
    signal_yield: float,
) -> Category:
    edges = spectrum.edges
    middle = sum(spectrum.interval) / 2
    return Category(
        name="one",
        edges=edges,
        signal_yield=signal_yield,
        signal=signal or DoubleCrystalBall(middle, 1.0),
        background=BinnedFamily(each, edges[:-1], edges[1:], spectrum.interval),
        background_yield=max(float(counts.sum()), 1.0),
    )


def _signal_found(
    likelihood: Likelihood, values: Floats, variance: Floats
) -> tuple[float, float, float]:
    """Fitted signal events, their error with the statistics of data, and with the template's.

    Both errors are taken where there is no signal: a fitted signal that makes some bin nearly
    negative would make them look small.
    """
    (category,) = likelihood.model.categories
    without = values.copy()
    without[0] = 0.0
    expected, gradient = likelihood.model.blocks[0].evaluate(without)
    information = likelihood.information(without)
    unit = np.sqrt(np.maximum(np.diag(information), 1e-12))
    inverse = np.linalg.pinv(information / np.outer(unit, unit), hermitian=True)
    error = inverse / np.outer(unit, unit)
    pushed = error[0] @ gradient / np.maximum(expected, 1e-12)
    size = category.signal_yield
    return (
        float(values[0] * size),
        float(np.sqrt(error[0, 0]) * size),
        float(np.sqrt(pushed**2 @ variance) * size),
    )
