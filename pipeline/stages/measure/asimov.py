"""What a category is expected to hold, from sidebands and simulation alone: the data of the pass
that may not see the blinded events."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.physics.arrays import Floats, finite_pair
from pipeline.physics.background import FAMILIES, Template
from pipeline.physics.goodness import chi_square
from pipeline.physics.regions import bin_edges, bins_inside
from pipeline.physics.spurious import SMALLEST_PROBABILITY, Spectrum, fit_background
from pipeline.physics.weights import weighted_histogram


def expected_counts(
    category: dict[str, Any], model: dict[str, Any], sideband_masses: Floats
) -> dict[str, list[float]]:
    """`{"bins": edges, "counts": expected events}` of one category, for mu = 1.

    Signal is the histogram of simulation. Background is the first smooth function that describes
    the data in the sidebands, or the simulated template.
    """
    interval = (model["fit_range"][0], model["fit_range"][1])
    edges = bin_edges(interval, model["bin_width"])
    mass, weight = finite_pair(category["background"]["mass"], category["background"]["weight"])
    template, variance = weighted_histogram(mass, weight, edges)
    if model["background"] == "template":
        inside = float(template.sum())
        background = (
            template if inside <= 0 else inside * Template.from_events(mass, weight, edges).contents
        )
    else:
        sideband = bins_inside(edges, model["sidebands"])
        data = np.histogram(sideband_masses, edges)[0] * sideband.astype(np.float64)
        spectrum = Spectrum(edges, data, sideband, template, variance)
        background = _smooth(spectrum)
    signal, _ = weighted_histogram(
        *finite_pair(category["signal"]["mass"], category["signal"]["weight"]), edges
    )
    counts = np.maximum(signal, 0.0) + np.maximum(background, 0.0)
    return {"bins": edges.tolist(), "counts": counts.tolist()}


def _smooth(spectrum: Spectrum) -> Floats:
    """The first family that describes the sidebands (the best, if none does), over all bins."""
    if spectrum.data.sum() == 0:
        return np.zeros(len(spectrum.data))
    tried = []
    for each in FAMILIES:
        fitted, valid = fit_background(spectrum, each)
        shares, _ = fitted.background.fractions(np.array(fitted.shape))
        expected = fitted.background_yield * shares
        goodness = chi_square(
            spectrum.data, expected, each.n_parameters + 1, spectrum.sideband
        ).probability
        if valid and goodness > SMALLEST_PROBABILITY:
            return expected
        tried.append((goodness, expected))
    return max(tried, key=lambda one: one[0])[1]
