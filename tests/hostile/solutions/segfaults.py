"""Reads address zero.

stage: preprocess
caught by: bench
category: other
attribution: model
"""

import ctypes


def preprocess(tables, info):
    return ctypes.string_at(0)
