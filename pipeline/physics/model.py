"""How many events are expected in each bin of each category, as a function of the parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.physics.arrays import Floats, Integers, floats
from pipeline.physics.background import Background, Template
from pipeline.physics.regions import Range
from pipeline.physics.signal import DoubleCrystalBall

MU = "mu"
LARGEST_LOG = 50.0
"""Of a factor on a yield: keeps a minimiser that went astray from an overflow."""


@dataclass(frozen=True)
class Uncertainties:
    """Relative one-sigma uncertainties shared by all categories; zero leaves one out."""

    luminosity: float = 0.0
    """Log-normal, on everything normalised by simulation."""
    scale: float = 0.0
    """Gaussian, on the position of the peak (photon energy scale)."""
    resolution: float = 0.0
    """Log-normal, on the width of the peak."""
    background: float = 0.0
    """Log-normal, on the yield of a simulated background."""


@dataclass(frozen=True, eq=False)
class Category:
    """One category of the fit: its bins, and what signal and background look like in them."""

    name: str
    edges: Floats
    """Bin edges in GeV, shape (n+1,)."""
    signal_yield: float
    """Events expected in the range for mu = 1."""
    signal: DoubleCrystalBall
    background: Background
    background_yield: float
    """Events in the whole range: nominal for a template, a start for a function."""
    shape: tuple[float, ...] = ()
    """Shape parameters that a fit of a function starts from; empty for flat."""
    signal_error: float = 0.0
    """Relative statistical uncertainty of the simulated signal yield."""
    spurious: float = 0.0
    """Events of signal that the choice of the background function can fake (one sigma)."""

    @property
    def interval(self) -> Range:
        """The fit range in GeV."""
        return float(self.edges[0]), float(self.edges[-1])


class Model:
    """Expected events as a function of the parameters, with gradients.

    Parameters: `mu`; the shared constrained ones (`luminosity`, `scale`, `resolution`,
    `background`); per category constrained `mc:NAME` and `spurious:NAME`, and free `yield:NAME`
    (log of the background relative to its nominal) and shape parameters `a1:NAME`, … Constrained
    ones count in standard deviations. Categories must have different names (ValueError).
    """

    def __init__(self, categories: Sequence[Category], uncertainties: Uncertainties) -> None:
        self.categories = tuple(categories)
        self.uncertainties = uncertainties
        names = [category.name for category in self.categories]
        if len(set(names)) != len(names) or not names:
            raise ValueError(f"expected categories of different names, found {names!r}")
        simulated = any(not category.background.n_parameters for category in self.categories)
        shared = [
            ("luminosity", uncertainties.luminosity > 0),
            ("scale", uncertainties.scale > 0),
            ("resolution", uncertainties.resolution > 0),
            ("background", uncertainties.background > 0 and simulated),
        ]
        constrained = [name for name, present in shared if present]
        free: list[str] = []
        for category in self.categories:
            if category.signal_error > 0:
                constrained.append(f"mc:{category.name}")
            if category.spurious != 0:
                constrained.append(f"spurious:{category.name}")
            if category.background.n_parameters:
                free.append(f"yield:{category.name}")
                count = category.background.n_parameters
                free += [f"a{k}:{category.name}" for k in range(1, count + 1)]
        self.names: tuple[str, ...] = (MU, *constrained, *free)
        self.constrained: tuple[str, ...] = tuple(constrained)
        self.index = {name: k for k, name in enumerate(self.names)}
        self.blocks = tuple(_Block(category, self) for category in self.categories)
        sizes = [len(category.edges) - 1 for category in self.categories]
        stops = np.cumsum(sizes)
        self.slices = tuple(
            slice(int(stop - size), int(stop)) for stop, size in zip(stops, sizes, strict=True)
        )
        self.n_bins = int(stops[-1])

    def start(self) -> Floats:
        """Parameters to start from: mu = 1, nuisances at their nominal, backgrounds as given."""
        values = np.zeros(len(self.names))
        values[0] = 1.0
        for category in self.categories:
            for k, value in enumerate(category.shape, start=1):
                values[self.index[f"a{k}:{category.name}"]] = value
        return values

    def expected(self, values: Floats) -> Floats:
        """Expected events in all bins of all categories, shape (n_bins,)."""
        return np.concatenate([block.evaluate(values)[0] for block in self.blocks])

    def background(self, values: Floats) -> Floats:
        """The background part of `expected`, without signal and spurious signal."""
        return np.concatenate([block.background(values) for block in self.blocks])


class _Block:
    """One category with the places of its parameters worked out."""

    def __init__(self, category: Category, model: Model) -> None:
        self.category = category
        self.uncertainties = model.uncertainties
        self._in_range = category.signal.fraction(category.interval)
        self._log_mc = math.log1p(category.signal_error)

        def place(name: str) -> int | None:
            return model.index.get(name)

        self._luminosity, self._scale = place("luminosity"), place("scale")
        self._resolution = place("resolution")
        self._mc = place(f"mc:{category.name}")
        self._spurious = place(f"spurious:{category.name}")
        self._yield = place(f"yield:{category.name}")
        simulated = self._yield is None
        self._normalisation = place("background") if simulated else None
        self._shape = [
            model.index[f"a{k}:{category.name}"]
            for k in range(1, category.background.n_parameters + 1)
        ]
        used = [
            model.index[MU],
            self._luminosity,
            self._scale,
            self._resolution,
            self._normalisation,
            self._mc,
            self._spurious,
            self._yield,
            *self._shape,
        ]
        self.used: Integers = np.array([k for k in used if k is not None], dtype=np.int64)
        self._row = {int(k): row for row, k in enumerate(self.used)}

    def _background_total(self, values: Floats) -> float:
        u = self.uncertainties
        log = 0.0
        if self._yield is not None:
            log = float(values[self._yield])
        elif self._luminosity is not None:
            log += math.log1p(u.luminosity) * values[self._luminosity]
        if self._normalisation is not None:
            log += math.log1p(u.background) * values[self._normalisation]
        return self.category.background_yield * _factor(log)

    def _peak(self, values: Floats) -> tuple[float, float]:
        """Mean and sigma of the signal in GeV."""
        u, signal = self.uncertainties, self.category.signal
        scale, width = 1.0, 1.0
        if self._scale is not None:
            scale = 1 + u.scale * float(values[self._scale])
        if self._resolution is not None:
            width = _factor(math.log1p(u.resolution) * values[self._resolution])
        return signal.mean * scale, signal.sigma * width

    def _signal(self, values: Floats) -> tuple[float, float]:
        """Signal events for mu = 1, and those that the background function fakes."""
        log = 0.0
        if self._luminosity is not None:
            log += math.log1p(self.uncertainties.luminosity) * values[self._luminosity]
        if self._mc is not None:
            log += self._log_mc * values[self._mc]
        faked = 0.0
        if self._spurious is not None:
            faked = self.category.spurious * float(values[self._spurious])
        return self.category.signal_yield * _factor(log), faked

    def densities(self, mass: Floats, values: Floats) -> tuple[Floats, Floats]:
        """Background, and background with signal, in events per GeV at `mass` (GeV)."""
        category = self.category
        if isinstance(category.background, Template):
            edges = category.edges
            within = np.clip(np.searchsorted(edges, mass, side="right") - 1, 0, len(edges) - 2)
            shape = (category.background.contents / np.diff(edges))[within]
        else:
            theta = values[self._shape]
            shape = category.background.family.density(mass, theta, category.interval)
        background = self._background_total(values) * shape
        mean, sigma = self._peak(values)
        per_mu, faked = self._signal(values)
        peak = replace(category.signal, mean=mean, sigma=sigma).density(mass) / self._in_range
        return floats(background), floats(background + (values[0] * per_mu + faked) * peak)

    def background(self, values: Floats) -> Floats:
        """Background events per bin."""
        fractions, _ = self.category.background.fractions(values[self._shape])
        return floats(self._background_total(values) * fractions)

    def evaluate(self, values: Floats) -> tuple[Floats, Floats]:
        """Expected events (n,) and their gradient (len(used), n)."""
        u, category = self.uncertainties, self.category
        mean, sigma = self._peak(values)
        per_mu, faked = self._signal(values)
        signal = values[0] * per_mu
        t = (category.edges - mean) / sigma
        cumulative, height = category.signal.standard(t)
        share = (cumulative[1:] - cumulative[:-1]) / self._in_range
        total = self._background_total(values)
        fractions, slopes = category.background.fractions(values[self._shape])

        gradient = np.zeros((len(self.used), len(share)))
        gradient[0] = per_mu * share
        if self._luminosity is not None:
            row = gradient[self._row[self._luminosity]]
            row += math.log1p(u.luminosity) * signal * share
            if self._yield is None:
                row += math.log1p(u.luminosity) * total * fractions
        if self._scale is not None or self._resolution is not None:
            height *= -(signal + faked) / self._in_range
            if self._scale is not None:
                moved = (height[1:] - height[:-1]) * (category.signal.mean * u.scale / sigma)
                gradient[self._row[self._scale]] = moved
            if self._resolution is not None:
                height *= t
                widened = (height[1:] - height[:-1]) * math.log1p(u.resolution)
                gradient[self._row[self._resolution]] = widened
        if self._mc is not None:
            gradient[self._row[self._mc]] = self._log_mc * signal * share
        if self._spurious is not None:
            gradient[self._row[self._spurious]] = category.spurious * share
        if self._yield is not None:
            gradient[self._row[self._yield]] = total * fractions
        if self._normalisation is not None:
            gradient[self._row[self._normalisation]] = math.log1p(u.background) * total * fractions
        for slope, place in zip(slopes, self._shape, strict=True):
            gradient[self._row[place]] = total * slope
        return (signal + faked) * share + total * fractions, gradient


def _factor(log: float) -> float:
    return math.exp(min(max(log, -LARGEST_LOG), LARGEST_LOG))
