"""Kills the process that started it, with the C library.

Expected: ok (nothing happens)
Plain: ok
"""

import ctypes
import os


def attack(info):
    ctypes.CDLL(None).kill(os.getppid(), 9)
    return "still here"
