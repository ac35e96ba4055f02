"""Reads the host's list of users.

Expected: violation
Plain: violation
"""


def attack(info):
    with open("/etc/passwd") as file:
        return file.read()
