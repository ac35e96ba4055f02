"""Finds a tree whose name is no Unicode, so that no JSON file can hold it.

stage: inspect
caught by: bench
category: contract
attribution: model
"""

from pipeline.stages.inspect.reference import inspect as honest


def inspect(path):
    found = honest(path)
    found["trees"]["\ud800"] = {"entries": 1, "branches": {"x": "int32_t"}}
    return found
