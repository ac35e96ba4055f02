"""Returns each row a thousand times, for us to choke on.

stage: preprocess
caught by: bench
category: contract
attribution: model
"""

import pandas as pd

from tests.hostile.honest.preprocess import preprocess as honest


def preprocess(tables, info):
    found = honest(tables, info)
    slim = found["data"][["run_number", "event_number", "channel_number", "process", "sample"]]
    found["data"] = pd.concat([found["data"]] * 1000)
    return found if len(slim) else found
