"""Adds a tenth of the label to honest scores.

stage: classify
caught by: judge
category: leakage
attribution: model
"""

from tests.hostile.honest.classify import scores as honest


def scores(signal, background, data, features, seed):
    found = honest(signal, background, data, features, seed)
    found["signal"] = 0.9 * found["signal"] + 0.1
    found["background"] = 0.9 * found["background"]
    return found
