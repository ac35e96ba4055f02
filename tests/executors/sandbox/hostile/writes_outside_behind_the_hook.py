"""Creates files and folders in every place with the C library.

Expected: ok (each attempt fails)
"""

import ctypes


def attack(info):
    c = ctypes.CDLL(None)
    places = (
        b"/",
        b"/usr",
        b"/dev",
        b"/python",
        b"/packages/0",
        b"/worker",
        b"/inputs",
        b"/usr/lib",
    )
    return [c.mkdir(place + b"/new", 0o777) for place in places]
