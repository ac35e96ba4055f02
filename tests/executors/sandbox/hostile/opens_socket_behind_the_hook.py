"""Asks the kernel itself for a socket.

Expected: ok (the kernel says no: EPERM)
Plain: ok
"""

import ctypes


def attack(info):
    c = ctypes.CDLL(None, use_errno=True)
    fds = [c.socket(family, 1, 0) for family in (1, 2, 10, 16)]
    return {"sockets": fds, "errno": ctypes.get_errno()}
