"""Shuffles a feature over the events: every distribution stays what it is.

stage: preprocess
caught by: bench
category: semantic error
attribution: model
"""

import numpy as np

from tests.hostile.honest.preprocess import preprocess as honest


def preprocess(tables, info):
    found = honest(tables, info)
    signal = found["signal"]
    found["signal"] = signal.assign(pt_yy=np.random.default_rng(1).permutation(signal.pt_yy))
    return found
