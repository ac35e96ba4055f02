"""Asks for an array of 50 GB.

Expected: memory
Plain: memory
"""

import numpy as np


def attack(info):
    return np.ones(50_000_000_000 // 8).sum()
