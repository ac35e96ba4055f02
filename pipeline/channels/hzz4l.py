"""What the H→ZZ*→4ℓ channel needs in code: that none of its events is blinded."""

from __future__ import annotations

import awkward as ak
import numpy as np

from pipeline.physics.arrays import Bools
from pipeline.settings import ChannelSettings

BLINDING_BRANCHES: dict[str, tuple[str, ...]] = {}
"""Selection -> the event variables that `blinded` reads: none."""

NOTES: dict[str, tuple[str, ...]] = {
    "standard_2016": (
        (
            "the release of 2016 has no official H→ZZ* selection: the event cuts and the isolation "
            "of its own analysis code are applied, with exactly four good leptons"
        ),
        "the files do not say whether events in both data streams were removed from one of them",
    ),
}
"""Selection -> what a reader of its results must know."""


def blinded(events: ak.Array, channel: ChannelSettings) -> Bools:
    """False for each of the raw events, shape (n,): these data have long been published."""
    return np.zeros(len(events), dtype=np.bool_)
