"""The array types that the physics functions take and give."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]


def floats(values: ArrayLike) -> Floats:
    """`values` as a float64 array; no copy where it is one already."""
    return np.asarray(values, dtype=np.float64)


def finite_pair(values: ArrayLike, weights: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """The finite `values` with their `weights` (ones if None), both of shape (n,).

    ValueError if the two differ in length. Rows whose value is NaN (a pair of photons with
    negative mass squared, say) are left out; a weight that is not finite is an error.
    """
    kept, weight = floats(values), floats(np.ones(np.shape(values)) if weights is None else weights)
    if kept.shape != weight.shape or kept.ndim != 1:
        raise ValueError(
            f"expected values and weights of one length, found shapes {kept.shape!r} and "
            f"{weight.shape!r}"
        )
    if not np.isfinite(weight).all():
        raise ValueError(
            f"expected finite weights, found {int((~np.isfinite(weight)).sum())} of {len(weight)} "
            "that are not; look for a sum of weights of zero"
        )
    finite = np.isfinite(kept)
    return kept[finite], weight[finite]
