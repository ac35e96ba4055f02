"""Fills memory that the limit of the kernel does not count, piece by piece.

Expected: memory
"""

import mmap

import numpy as np


def attack(info):
    pieces = []
    for _ in range(500):
        piece = mmap.mmap(-1, 100 << 20)
        np.frombuffer(piece, np.uint8)[:] = 1
        pieces.append(piece)
