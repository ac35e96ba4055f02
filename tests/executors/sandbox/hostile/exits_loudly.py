"""Asks Python to end.

Expected: exception (SystemExit)
"""

import sys


def attack(info):
    sys.exit("enough")
