"""Returns an object that would run code where it is unpickled.

Expected: exception (ReturnTypeError)
"""

import os


class Bomb:
    def __reduce__(self):
        return os.system, ("touch /tmp/bomb",)


def attack(info):
    return {"m_yy": Bomb()}
