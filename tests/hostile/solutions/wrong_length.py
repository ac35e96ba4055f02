"""Returns one score too few.

stage: classify
caught by: bench
category: contract
attribution: model
"""

from tests.hostile.honest.classify import scores as honest


def scores(signal, background, data, features, seed):
    found = honest(signal, background, data, features, seed)
    return {**found, "signal": found["signal"][:-1]}
