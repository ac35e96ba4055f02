"""Writes garbage to every channel that it finds open.

Expected: protocol
"""

import os
import time


def attack(info):
    for fd in range(3, 256):
        try:
            os.write(fd, b"\x05\x00\x00\x00\x00\x00\x00\x00hello, this is not a message")
        except OSError:
            continue
    time.sleep(2)
    return 1
