"""Fills 50 GB of memory.

stage: preprocess
caught by: bench
category: memory
attribution: model
"""

import numpy as np


def preprocess(tables, info):
    return [np.ones(100_000_000 // 8) for _ in range(500)]
