"""Makes negative weights positive.

stage: preprocess
caught by: bench
category: semantic error
attribution: model
"""

from tests.hostile.honest.preprocess import preprocess as honest


def preprocess(tables, info):
    found = honest(tables, info)
    found["signal"] = found["signal"].assign(weight=found["signal"].weight.abs())
    return found
