"""Sleeps for ever.

Expected: timeout
Plain: timeout
"""

import time


def attack(info):
    while True:
        time.sleep(1000)
