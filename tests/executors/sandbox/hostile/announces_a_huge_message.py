"""Announces a message of 2^60 bytes on every channel that it finds open.

Expected: protocol
"""

import os
import time


def attack(info):
    for fd in range(3, 256):
        try:
            os.write(fd, (1 << 60).to_bytes(8, "little"))
        except OSError:
            continue
    time.sleep(2)
    return 1
