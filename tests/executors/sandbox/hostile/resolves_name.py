"""Resolves a host name, which tells a name server what is wanted.

Expected: violation
"""

import socket


def attack(info):
    return socket.gethostbyname("example.org")
