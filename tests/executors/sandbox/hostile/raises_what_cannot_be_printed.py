"""Raises an exception whose text raises another one.

Expected: exception
"""


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no text for you")


def attack(info):
    raise UnprintableError
