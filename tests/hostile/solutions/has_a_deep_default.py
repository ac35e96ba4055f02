"""Takes another argument, with a default so deep that nothing can print it.

stage: preprocess
caught by: bench
category: function-calling error
attribution: model
"""


def preprocess(tables, info, more, and_more="@deep default@"):
    return tables
