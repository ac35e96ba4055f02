"""Connects to an address on the network.

Expected: violation
"""

import socket


def attack(info):
    with socket.create_connection(("192.0.2.1", 80), timeout=2) as connection:
        return connection.recv(10)
