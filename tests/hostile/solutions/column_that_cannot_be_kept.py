"""Adds a column of complex numbers, which no Parquet file holds.

stage: preprocess
caught by: bench
category: contract
attribution: model
"""

import numpy as np

from tests.hostile.honest.preprocess import preprocess as honest


def preprocess(tables, info):
    found = honest(tables, info)
    found["signal"] = found["signal"].assign(extra=np.ones(len(found["signal"])) * 1j)
    return found
