"""Prints 1 GB.

stage: preprocess
caught by: bench
category: sandbox violation
attribution: model
"""


def preprocess(tables, info):
    for _ in range(1_000):
        print("x" * 1_000_000)
    return tables
