"""Weights of simulated events, and the same physics without weights, as data has it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.data.errors import GenerationError
from pipeline.data.manifest import Sample
from pipeline.data.synthetic.batch import Batch
from pipeline.data.synthetic.fourlepton import FOUR_LEPTON, four_leptons
from pipeline.data.synthetic.higgs import PRODUCTIONS, higgs_to_photons
from pipeline.data.synthetic.samples import HIGGS, SIMULATED, SyntheticSample, sample_of
from pipeline.data.synthetic.streams import Random

EFFICIENCY_FACTORS = {
    "hyy": ("ScaleFactor_PHOTON",),
    "hzz4l": ("ScaleFactor_ELE", "ScaleFactor_MUON", "ScaleFactor_LepTRIGGER"),
}
"""Scale factors by which data are less efficient than simulation; at most 1 here."""
PILEUP = "ScaleFactor_PILEUP"


def process_events(random: Random, channel: str, process: str, n: int) -> tuple[Batch, np.ndarray]:
    """`n` generated events of a process: those in the file, and their numbers 0..n-1 among all."""
    if channel == "hyy":
        return higgs_to_photons(random, PRODUCTIONS[process], n)
    return four_leptons(random, FOUR_LEPTON[process], n)


def generator_weights(random: Random, real: Sample, n: int) -> np.ndarray:
    """Signed weights (n,) float32 whose mean and mean square are those of the real sample.

    All have one size; the share of negative ones is (1 - mean / size) / 2.
    """
    if real.sum_of_weights is None or real.sum_of_weights_squared is None or real.n_events is None:
        raise GenerationError(
            f"expected sums of weights of sample {real.name} in its manifest, found none"
        )
    size = np.sqrt(real.sum_of_weights_squared / real.n_events)
    negative = (1.0 - real.sum_of_weights / real.n_events / size) / 2.0
    weights: np.ndarray = np.where(random.random(n) < negative, -size, size).astype(np.float32)
    return weights


def scale_factors(random: Random, channel: str, n: int) -> dict[str, np.ndarray]:
    """Scale factors of `n` events, float32: efficiencies just below 1, and pile-up around 1."""
    factors = {
        name: (1.0 - np.abs(random.normal(0.0, 0.02, n))).astype(np.float32)
        for name in EFFICIENCY_FACTORS[channel]
    }
    return {**factors, PILEUP: random.gamma(25.0, 1.0 / 25.0, n).astype(np.float32)}


def in_data(
    streams: Callable[[str], Random], sample: SyntheticSample, luminosity: float, mu: float
) -> dict[str, tuple[float, Batch]]:
    """What the simulated processes give in a data period: process -> (mean, events).

    `streams` gives the stream of a process. The mean is the number of produced events, `mu` times
    the expectation for Higgs bosons; the number drawn fluctuates as Poisson's. Data have no
    weights, so an event is kept with the probability that its efficiency scale factors say.
    """
    made: dict[str, tuple[float, Batch]] = {}
    for dsid, (process, _) in SIMULATED[sample.channel].items():
        real = sample_of(sample.channel, dsid).real
        strength = mu if process in HIGGS else 1.0
        mean = strength * real.effective_cross_section_pb * 1000.0 * luminosity * sample.share
        random = streams(process)
        batch, _ = process_events(random, sample.channel, process, int(random.poisson(mean)))
        factors = scale_factors(random, sample.channel, len(batch))
        efficiency = np.prod([factors[f] for f in EFFICIENCY_FACTORS[sample.channel]], axis=0)
        made[process] = (mean, batch.take(random.random(len(batch)) < efficiency))
    return made
