"""Kills the process that started it.

stage: preprocess
caught by: bench
category: sandbox violation
attribution: model
"""

import os
import signal


def preprocess(tables, info):
    os.kill(os.getppid(), signal.SIGKILL)
    return tables
