"""Makes namespaces of its own, in which it would be root and could mount things.

Expected: ok (the kernel says no: EPERM)
"""

import ctypes


def attack(info):
    c = ctypes.CDLL(None, use_errno=True)
    flags = (0x10000000, 0x00020000, 0x40000000, 0x20000000)
    return {"made": [c.unshare(flag) for flag in flags], "errno": ctypes.get_errno()}
