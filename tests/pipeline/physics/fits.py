"""Models of a diphoton measurement for the tests of the fit."""

from __future__ import annotations

import numpy as np

from pipeline.physics.background import FAMILIES, BinnedFamily, Family, Template
from pipeline.physics.model import Category, Model, Uncertainties
from pipeline.physics.signal import DoubleCrystalBall

RANGE = (105.0, 160.0)
UNCERTAINTIES = Uncertainties(luminosity=0.021, scale=0.002, resolution=0.1)
TYPICAL = (
    # background, signal, sigma, function, its shape
    (180_000.0, 1_000.0, 1.75, "exponential of 2nd order", (-1.0, 0.12)),
    (20_000.0, 300.0, 1.6, "exponential of 2nd order", (-1.0, 0.10)),
    (800.0, 40.0, 1.5, "exponential", (-1.05,)),
    (60.0, 8.0, 1.4, "exponential", (-1.1,)),
)
"""Categories as they come out at 36 fb^-1: from many events to few."""


def family(name: str) -> Family:
    """The candidate of that name."""
    return next(each for each in FAMILIES if each.name == name)


def category(
    name: str,
    background: float,
    signal: float,
    sigma: float = 1.6,
    function: str = "exponential",
    shape: tuple[float, ...] = (-1.0,),
    spurious: float = 0.0,
    signal_error: float = 0.0,
    width: float = 0.5,
) -> Category:
    edges = np.linspace(*RANGE, round(55 / width) + 1)
    return Category(
        name=name,
        edges=edges,
        signal_yield=signal,
        signal=DoubleCrystalBall(125.0, sigma),
        background=BinnedFamily(family(function), edges[:-1], edges[1:], RANGE),
        background_yield=background,
        shape=shape,
        spurious=spurious,
        signal_error=signal_error,
    )


def typical(uncertainties: Uncertainties = UNCERTAINTIES) -> Model:
    """Four categories with all nuisance parameters."""
    return Model(
        [
            category(
                f"category {k + 1}",
                background,
                signal,
                sigma,
                function,
                shape,
                spurious=0.05 * signal,
                signal_error=0.01,
            )
            for k, (background, signal, sigma, function, shape) in enumerate(TYPICAL)
        ],
        uncertainties,
    )


def four_lepton(background: float = 25.0, signal: float = 12.0) -> Model:
    """One category with a simulated background in coarse bins."""
    edges = np.linspace(*RANGE, 23)
    contents = np.linspace(1.0, 2.0, 22)
    one = Category(
        name="inclusive",
        edges=edges,
        signal_yield=signal,
        signal=DoubleCrystalBall(125.0, 1.8),
        background=Template(contents / contents.sum()),
        background_yield=background,
        signal_error=0.02,
    )
    return Model([one], Uncertainties(0.021, 0.002, 0.1, background=0.1))
