"""Answers in the worker's place, with a result that lies outside of the shared memory.

Expected: protocol
"""

import json
import os
import time


def attack(info):
    body = json.dumps({"id": 2, "result": [1 << 39, 1000], "violations": []}).encode()
    for fd in range(3, 256):
        try:
            os.write(fd, len(body).to_bytes(8, "little") + body)
        except OSError:
            continue
    time.sleep(2)
    return 1
