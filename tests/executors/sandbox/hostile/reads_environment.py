"""Reads the environment, where keys and tokens often are.

Expected: ok (nothing of the host's is in it)
Plain: ok
"""

import os


def attack(info):
    return dict(os.environ)
