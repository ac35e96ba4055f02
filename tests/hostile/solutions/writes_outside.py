"""Writes into a file of the host, whose path it knows.

stage: preprocess
caught by: bench
category: sandbox violation
attribution: model
"""

CANARY = "@canary@"


def preprocess(tables, info):
    with open(CANARY, "w") as file:
        file.write("gone")
    return tables
