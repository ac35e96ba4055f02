"""Writes one file of 100 GB.

stage: preprocess
caught by: bench
category: sandbox violation
attribution: model
"""


def preprocess(tables, info):
    with open("large", "wb") as file:
        for _ in range(100_000):
            file.write(bytes(1_000_000))
    return tables
