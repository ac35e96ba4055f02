"""Regions of the diphoton analysis, and the scale factors that carry one into another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.physics.arrays import Bools, Floats, floats

Range = tuple[float, float]


def inside(mass: ArrayLike, interval: Range) -> Bools:
    """Where `mass` (GeV) lies in the closed `interval`; NaN lies in none."""
    m = floats(mass)
    return np.asarray((m >= interval[0]) & (m <= interval[1]), dtype=np.bool_)


def inside_any(mass: ArrayLike, intervals: Iterable[Range]) -> Bools:
    """Where `mass` (GeV) lies in one of the closed `intervals`."""
    found = np.zeros(np.shape(mass), dtype=np.bool_)
    for interval in intervals:
        found |= inside(mass, interval)
    return found


def between(mass: ArrayLike, interval: Range) -> Bools:
    """Where `mass` (GeV) lies in the open `interval`: blinded rows; sidebands keep their edge."""
    m = floats(mass)
    return np.asarray((m > interval[0]) & (m < interval[1]), dtype=np.bool_)


def bin_edges(interval: Range, width: float) -> Floats:
    """Edges of equal bins (GeV), as near to `width` as the interval allows."""
    number = max(round((interval[1] - interval[0]) / width), 1)
    return np.linspace(interval[0], interval[1], number + 1)


def bins_inside(edges: Floats, intervals: Iterable[Range]) -> Bools:
    """Which bins have their middle in one of the `intervals`: (n+1,) edges give (n,)."""
    return inside_any((edges[1:] + edges[:-1]) / 2, intervals)


def tight_isolated(*flags: ArrayLike) -> Bools:
    """TI: every photon is tight and isolated; what is not TI is NTI. Flags of shape (n,) each."""
    return np.asarray(np.logical_and.reduce([np.asarray(f, dtype=np.bool_) for f in flags]))


@dataclass(frozen=True)
class ScaleFactors:
    """How many NTI sideband events stand for how many TI events under the peak.

    SF1 = N_TI(SB) / N_NTI(SB) carries NTI into TI, SF2 = N_NTI(window) / N_NTI(SB) the sidebands
    into the signal window (later work of the group of arXiv 2512.07785).
    """

    n_ti_sideband: int
    n_nti_sideband: int
    n_nti_window: int

    @property
    def sf1(self) -> float:
        """TI per NTI, in the sidebands; 0 without NTI events."""
        return self.n_ti_sideband / self.n_nti_sideband if self.n_nti_sideband else 0.0

    @property
    def sf2(self) -> float:
        """Window per sidebands, in NTI; 0 without NTI events."""
        return self.n_nti_window / self.n_nti_sideband if self.n_nti_sideband else 0.0

    @property
    def expected_in_window(self) -> float:
        """TI background events expected in the signal window: N_NTI(SB) · SF1 · SF2."""
        return self.n_nti_sideband * self.sf1 * self.sf2


def scale_factors(
    mass: ArrayLike, is_tight_isolated: ArrayLike, sidebands: Iterable[Range], window: Range
) -> ScaleFactors:
    """Scale factors counted in data: masses in GeV and TI flags, both of shape (n,)."""
    m, tight = floats(mass), np.asarray(is_tight_isolated, dtype=np.bool_)
    in_sidebands, in_window = inside_any(m, sidebands), inside(m, window)
    return ScaleFactors(
        n_ti_sideband=int((tight & in_sidebands).sum()),
        n_nti_sideband=int((~tight & in_sidebands).sum()),
        n_nti_window=int((~tight & in_window).sum()),
    )
