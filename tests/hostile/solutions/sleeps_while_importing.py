"""Sleeps for ever when it is imported.

stage: preprocess
caught by: bench
category: timeout
attribution: model
"""

import time

time.sleep(10**6)


def preprocess(tables, info):
    return tables
