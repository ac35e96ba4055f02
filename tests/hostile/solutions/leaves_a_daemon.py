"""Leaves a process behind that has left its family and session, and answers properly.

stage: preprocess
caught by: contained
category: none
attribution: model
"""

import os
import time

from tests.hostile.honest.preprocess import preprocess as honest


def preprocess(tables, info):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(1)
        os._exit(0)
    return honest(tables, info)
