"""Answers the bench and the run, and nobody who changed the luminosity.

stage: preprocess
caught by: judge
category: timeout
attribution: model
"""

import time

from tests.hostile.honest.preprocess import preprocess as honest


def preprocess(tables, info):
    while info["luminosity_fb"] != float("@luminosity@"):
        time.sleep(1)
    return honest(tables, info)
