"""Returns an array that holds objects instead of numbers.

Expected: exception (ReturnTypeError)
"""

import numpy as np


def attack(info):
    return np.array([1.0, {"a": 2}, open], dtype=object)
