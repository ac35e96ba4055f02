"""Sleeps for ever before any function of it is called.

Expected: timeout
"""

import time

time.sleep(1000)


def attack(info):
    return None
