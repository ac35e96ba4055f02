"""Ignores every signal that can be ignored, and computes for ever.

stage: preprocess
caught by: bench
category: timeout
attribution: model
"""

import signal


def preprocess(tables, info):
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        pass
