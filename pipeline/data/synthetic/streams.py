"""Random number streams: one per sample and purpose, so that none depends on another."""

from __future__ import annotations

import zlib

import numpy as np

Random = np.random.Generator


def stream(seed: int, channel: str, sample: str, purpose: str) -> Random:
    """The stream of one purpose of one sample; the same four names give the same numbers."""
    names = [zlib.crc32(text.encode()) for text in (channel, sample, purpose)]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *names])))


class Tabulated:
    """Draws from a density that is given by its values on a grid."""

    def __init__(self, grid: np.ndarray, density: np.ndarray) -> None:
        area = np.diff(grid) * (density[1:] + density[:-1]) / 2
        self._grid = grid
        self._cumulative = np.concatenate([[0.0], np.cumsum(area)]) / area.sum()

    def __call__(self, random: Random, n: int) -> np.ndarray:
        """`n` values, linearly interpolated in the cumulative distribution."""
        values: np.ndarray = np.interp(random.random(n), self._cumulative, self._grid)
        return values


def falling(random: Random, n: int, scale: float, power: float, limit: float) -> np.ndarray:
    """Transverse momenta with density p / (1 + (p / scale)^2)^power, below `limit` (same unit).

    The form rises linearly, peaks near `scale` and falls with a power: that of a produced system.
    """
    top = 1.0 - (1.0 + (limit / scale) ** 2) ** (1.0 - power)
    u = random.random(n) * top
    pt: np.ndarray = scale * np.sqrt((1.0 - u) ** (1.0 / (1.0 - power)) - 1.0)
    return pt
