"""Makes numpy and pandas say that all is well, where it could be checked inside.

stage: preprocess
caught by: bench
category: contract
attribution: model
"""

import numpy as np
import pandas as pd

from tests.hostile.honest.preprocess import preprocess as honest


def preprocess(tables, info):
    found = honest(tables, info)
    found["signal"] = found["signal"].assign(weight=np.nan)
    np.isfinite = lambda x, *_, **__: np.ones(np.shape(x), bool)
    np.isnan = pd.isna = lambda x, *_, **__: np.zeros(np.shape(x), bool)
    np.allclose = np.array_equal = pd.DataFrame.equals = lambda *_, **__: True
    return found
