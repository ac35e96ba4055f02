"""Returns NaN for every score.

stage: classify
caught by: bench
category: contract
attribution: model
"""

import numpy as np


def scores(signal, background, data, features, seed):
    tables = {"signal": signal, "background": background, "data": data}
    return {name: np.full(len(table), np.nan) for name, table in tables.items()}
