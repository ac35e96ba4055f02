"""Deletes the file that it was given to read.

Expected: violation
Plain: violation
"""

import os


def attack(info):
    os.remove(info["input"])
