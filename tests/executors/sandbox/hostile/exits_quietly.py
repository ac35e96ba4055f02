"""Ends its process as if all were well.

Expected: killed
"""

import os


def attack(info):
    os._exit(0)
