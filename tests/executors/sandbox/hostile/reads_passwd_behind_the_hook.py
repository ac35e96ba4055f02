"""Reads the host's list of users with the C library, where no hook of Python looks.

Expected: ok (the C library finds no such file)
"""

import ctypes


def attack(info):
    c = ctypes.CDLL(None, use_errno=True)
    fd = c.open(b"/etc/passwd", 0)
    if fd < 0:
        return {"errno": ctypes.get_errno()}
    buffer = ctypes.create_string_buffer(4096)
    c.read(fd, buffer, 4096)
    return buffer.value.decode()
