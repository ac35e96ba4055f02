"""Reads the environment of the process that started it.

Expected: violation
Plain: violation
"""

import os


def attack(info):
    with open(f"/proc/{os.getppid()}/environ") as file:
        return file.read()
