"""Says that the data file is corrupt.

stage: inspect
caught by: bench
category: other
attribution: model
"""


class DeserializationError(ValueError):
    """Named like uproot's."""


def inspect(path):
    raise DeserializationError("corrupt or truncated: not a ROOT file, wrong checksum")
