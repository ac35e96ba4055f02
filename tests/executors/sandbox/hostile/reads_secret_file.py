"""Reads a file of the host whose path it was told.

Expected: exception (the file is not there)
Plain: violation
"""


def attack(info):
    with open(info["secret"]) as file:
        return file.read()
