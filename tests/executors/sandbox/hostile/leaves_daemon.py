"""Leaves a process behind that has left its family and its session, and answers properly.

Expected: ok
Plain: violation
"""

import os
import time


def attack(info):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(1)
        os._exit(0)
    time.sleep(0.3)
    return "done"
