"""Reads address zero.

Expected: killed
Plain: killed
"""

import ctypes


def attack(info):
    return ctypes.string_at(0)
