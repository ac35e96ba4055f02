"""Kills the process that started it.

Expected: violation
"""

import os
import signal


def attack(info):
    os.kill(os.getppid(), signal.SIGKILL)
