"""Start a step as a copy of the step server's process; without one, in the ordinary way.

Run as `python -I -S starter.py SOCKET -m pipeline.steps.NAME ...`: it imports next to nothing. It
ends with the exit code of the step, and the step ends with it.
"""

import array
import json
import os
import socket
import sys


def main() -> None:
    """Ask the server; become the step where there is none."""
    place, step = sys.argv[1], sys.argv[2:]
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.connect(place)
        asked = json.dumps({"folder": os.getcwd(), "step": step[1:]}).encode() + b"\n"
        streams = array.array("i", [1, 2])
        server.sendmsg([asked], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    except OSError:
        server.close()
        os.execv(sys.executable, [sys.executable, "-P", *step])
    said = server.recv(16)
    # No word: the server is gone, and the step with it.
    sys.exit(int(said) if said else 1)


main()
