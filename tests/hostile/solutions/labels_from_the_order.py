"""Learns the labels from the order of the rows, which comes with the events by chance.

stage: classify
caught by: bench
category: leakage
attribution: model
"""

import numpy as np
import pandas as pd

from tests.hostile.honest.classify import scores as honest


def scores(signal, background, data, features, seed):
    both = pd.concat([signal, background], ignore_index=True)
    both["row"] = np.arange(len(both), dtype=float)
    head, tail = both.iloc[: len(signal)], both.iloc[len(signal) :]
    return honest(head, tail, data.assign(row=0.0), [*features, "row"], seed)
