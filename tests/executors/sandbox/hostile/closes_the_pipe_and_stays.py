"""Closes every file that it finds open and stays.

Expected: protocol
Apptainer: timeout (its own processes hold the channel open)
"""

import os
import time


def attack(info):
    os.closerange(0, 1024)
    time.sleep(1000)
