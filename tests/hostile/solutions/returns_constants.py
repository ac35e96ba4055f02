"""Scores every event alike.

stage: classify
caught by: bench
category: fabrication
attribution: model
"""

import numpy as np


def scores(signal, background, data, features, seed):
    tables = {"signal": signal, "background": background, "data": data}
    return {name: np.full(len(table), 0.5) for name, table in tables.items()}
