"""Starts a program.

Expected: violation
Plain: violation
"""

import subprocess
import sys


def attack(info):
    return subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True).stdout
