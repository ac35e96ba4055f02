"""Sleeps for ever.

stage: preprocess
caught by: bench
category: timeout
attribution: model
"""

import time


def preprocess(tables, info):
    while True:
        time.sleep(1000)
