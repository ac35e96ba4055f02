"""Deletes and overwrites the file that it was given to read, with the C library.

Expected: ok (both fail)
"""

import ctypes


def attack(info):
    c = ctypes.CDLL(None)
    path = info["input"].encode()
    return [c.unlink(path), c.truncate(path, 0), c.open(path, 1), c.chmod(path, 0o777)]
