"""Replaces functions of numpy in the worker, which harms the worker alone.

Expected: ok
"""

import numpy as np


def attack(info):
    np.sum = np.mean = np.allclose = lambda *_, **__: True
    return info["numbers"]
