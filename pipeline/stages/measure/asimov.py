"""What a category is expected to hold, from sidebands and simulation alone: the data of the pass
that may not see the blinded events."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.physics.arrays import Floats, finite_pair
from pipeline.physics.background import Template, family
from pipeline.physics.regions import bin_edges, bins_inside
from pipeline.physics.spurious import Spectrum, fit_background
from pipeline.physics.weights import weighted_histogram

ENOUGH_EVENTS = 100.0
"""Sideband events from which the slope of the background may change along the range."""


def expected_counts(
    category: dict[str, Any], model: dict[str, Any], sideband_masses: Floats
) -> dict[str, list[float]]:
    """`{"bins": edges, "counts": expected events}` of one category, for mu = 1.

    Signal is the histogram of simulation. Background is a falling exponential (of 2nd order from
    100 events on) fitted to the data in the sidebands, or the simulated template.
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
        background = _smooth(spectrum, float(data.sum()))
    signal, _ = weighted_histogram(
        *finite_pair(category["signal"]["mass"], category["signal"]["weight"]), edges
    )
    counts = np.maximum(signal, 0.0) + np.maximum(background, 0.0)
    return {"bins": edges.tolist(), "counts": counts.tolist()}


def _smooth(spectrum: Spectrum, events: float) -> Floats:
    if events == 0:
        return np.zeros(len(spectrum.data))
    name = "exponential of 2nd order" if events >= ENOUGH_EVENTS else "exponential"
    fitted, shape, _ = fit_background(spectrum, family(name))
    return fitted.background_yield * fitted.background.fractions(shape)[0]
