"""Is an expression so deep that reading it breaks the reader.

stage: preprocess
caught by: bench
category: syntax
attribution: model
"""

DEEP = "@deep@"


def preprocess(tables, info):
    return DEEP
