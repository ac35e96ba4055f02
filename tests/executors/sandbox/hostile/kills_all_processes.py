"""Kills every process that it may, with the C library.

Expected: ok (it may kill nobody)
Plain: ok
"""

import ctypes


def attack(info):
    ctypes.CDLL(None).kill(-1, 9)
    return "still here"
