"""Raises what a full disk raises, error number and all.

stage: preprocess
caught by: bench
category: sandbox violation
attribution: model
"""

import errno
import os


def preprocess(tables, info):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/scratch/outputs")
