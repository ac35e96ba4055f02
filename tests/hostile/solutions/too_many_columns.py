"""Returns a table of 20,000 columns.

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
    more = pd.DataFrame(np.zeros((len(found["data"]), 20_000), np.int8))
    more.columns = [f"c{i}" for i in range(20_000)]
    found["data"] = pd.concat([found["data"].reset_index(drop=True), more], axis=1)
    return found
