"""Starts threads with small stacks without end.

Expected: exception (RuntimeError: the kernel refuses)
"""

import threading
import time


def attack(info):
    threading.stack_size(65536)
    while True:
        threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
