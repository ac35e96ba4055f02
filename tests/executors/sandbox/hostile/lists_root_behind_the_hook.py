"""Lists the root folder with the C library: sees only what the sandbox is made of.

Expected: ok
"""

import ctypes


def attack(info):
    class Entry(ctypes.Structure):
        _fields_ = [
            ("inode", ctypes.c_uint64),
            ("offset", ctypes.c_int64),
            ("length", ctypes.c_uint16),
            ("type", ctypes.c_uint8),
            ("name", ctypes.c_char * 256),
        ]

    c = ctypes.CDLL(None)
    c.opendir.restype = ctypes.c_void_p
    c.readdir.restype = ctypes.POINTER(Entry)
    c.readdir.argtypes = [ctypes.c_void_p]
    folder, names = c.opendir(b"/"), []
    while entry := c.readdir(folder):
        names.append(entry.contents.name.decode())
    return sorted(names)
