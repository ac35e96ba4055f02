"""Closes every file that it finds open and returns.

Expected: protocol
Plain: protocol
"""

import os


def attack(info):
    os.closerange(3, 1024)
    return 1
