"""Opens a connection to this machine.

stage: preprocess
caught by: bench
category: sandbox violation
attribution: model
"""

import socket


def preprocess(tables, info):
    with socket.create_connection(("127.0.0.1", 80), timeout=1) as connection:
        connection.sendall(repr(info).encode())
    return tables
