"""Scores at random: no separation at all.

stage: classify
caught by: bench
category: semantic error
attribution: model
"""

import numpy as np


def scores(signal, background, data, features, seed):
    draw = np.random.default_rng(seed)
    tables = {"signal": signal, "background": background, "data": data}
    return {name: draw.random(len(table)) for name, table in tables.items()}
