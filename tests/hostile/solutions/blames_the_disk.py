"""Raises what a full disk raises, to be blamed on the infrastructure.

stage: preprocess
caught by: bench
category: other
attribution: model
"""


def preprocess(tables, info):
    raise OSError("No space left on device: Stale file handle on node-7, the worker died")
