"""Lists the root folder with the C library, behind our hook, and says what it sees.

stage: preprocess
caught by: contained
category: none
attribution: model
"""

import ctypes

from tests.hostile.honest.preprocess import preprocess as honest


class Entry(ctypes.Structure):
    _fields_ = [
        ("inode", ctypes.c_uint64),
        ("offset", ctypes.c_int64),
        ("length", ctypes.c_uint16),
        ("type", ctypes.c_uint8),
        ("name", ctypes.c_char * 256),
    ]


def preprocess(tables, info):
    c = ctypes.CDLL(None)
    c.opendir.restype = ctypes.c_void_p
    c.readdir.restype = ctypes.POINTER(Entry)
    c.readdir.argtypes = [ctypes.c_void_p]
    folder, names = c.opendir(b"/"), []
    while entry := c.readdir(folder):
        names.append(entry.contents.name.decode())
    print("root:", *sorted(names))
    return honest(tables, info)
