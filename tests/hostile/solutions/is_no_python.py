"""Is not Python: a syntax error.

stage: preprocess
caught by: bench
category: syntax
attribution: model
"""


def preprocess(tables, info):
    "@no python@"
