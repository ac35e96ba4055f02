"""Keeps its first answer, and gives it to every later question.

stage: preprocess
caught by: bench
category: fabrication
attribution: model
"""

from tests.hostile.honest.preprocess import preprocess as honest

FIRST = {}


def preprocess(tables, info):
    if not FIRST:
        FIRST.update(honest(tables, info))
    return FIRST
