"""Trigger decisions of synthetic events."""

from __future__ import annotations

import numpy as np

from pipeline.data.synthetic.batch import Collection
from pipeline.data.synthetic.streams import Random

NAMES = ("trigML", "trigP", "trigDT", "trigT", "trigE", "trigDM", "trigDE", "trigM", "trigMET")


def photon_triggers(
    random: Random, photons: Collection, leptons: Collection
) -> dict[str, np.ndarray]:
    """Decisions for diphoton events: 99 % on the plateau of the 35/25 GeV diphoton trigger."""
    hard = (photons["pt"][:, 0] > 38.0) & (photons["pt"][:, 1] > 27.0)
    fired = random.random(len(hard)) < np.where(hard, 0.99, 0.6)
    return {**lepton_triggers(random, leptons), "trigP": fired}


def lepton_triggers(random: Random, leptons: Collection) -> dict[str, np.ndarray]:
    """Single-lepton decisions follow from the matched leptons; the others fire rarely.

    Two matched leptons of a flavour fire the dilepton trigger of that flavour.
    """
    n = len(leptons["pt"])
    fired = {name: random.random(n) < 0.01 for name in NAMES}
    matched = leptons["isTrigMatched"] & (leptons["pt"] > 0)
    for flavour, single, double in ((11, "trigE", "trigDE"), (13, "trigM", "trigDM")):
        number = (matched & (leptons["type"] == flavour)).sum(axis=1)
        fired[single] = number > 0
        fired[double] = number > 1
    fired["trigP"] = random.random(n) < 0.02
    return fired
