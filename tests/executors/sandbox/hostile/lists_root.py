"""Lists the root folder.

Expected: violation
"""

import os


def attack(info):
    return os.listdir("/")
