"""Writes to a memory file, which is in no process's memory and in no folder.

Expected: violation
"""

import os


def attack(info):
    fd = os.memfd_create("hidden")
    os.truncate(fd, 1 << 40)
