"""Pure functions that the host may name in an argument and that are rebuilt inside."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping


def asimov_z(signal: float, background: float) -> float:
    """Median significance of `signal` events over `background`: √(2[(s+b) ln(1+s/b) - s]).

    Cowan, Cranmer, Gross, Vitells (arXiv 1007.1727, eq. 97); the same bits as
    `pipeline.physics.significance.asimov_z` (a test holds them together). Zero where s or b is not
    above zero; a series below s/b = 1e-4; ValueError for NaN.
    """
    if math.isnan(signal) or math.isnan(background):
        raise ValueError(f"expected numbers of events, found s={signal!r}, b={background!r}")
    if signal <= 0 or background <= 0:
        return 0.0
    ratio = signal / background
    if ratio < 1e-4:
        return math.sqrt(signal * ratio * (1 - ratio / 3))
    return math.sqrt(2 * ((signal + background) * math.log1p(ratio) - signal))


BUILTINS: Mapping[str, Callable[..., float]] = {"asimov_z": asimov_z}
