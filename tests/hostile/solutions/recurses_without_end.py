"""Calls itself without end.

stage: preprocess
caught by: bench
category: other
attribution: model
"""


def preprocess(tables, info):
    return preprocess(tables, info)
