"""Returns each row a thousand times, for us to choke on.

stage: preprocess
caught by: bench
category: fabrication
attribution: model
"""

import pandas as pd

from tests.hostile.honest.preprocess import preprocess as honest


def preprocess(tables, info):
    found = honest(tables, info)
    found["data"] = pd.concat([found["data"]] * 1000)
    return found
