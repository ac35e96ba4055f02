"""Forks until the kernel refuses and does not catch that.

Expected: violation
Plain: violation
"""

import os
import time


def attack(info):
    while True:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
