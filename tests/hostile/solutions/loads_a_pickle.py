"""Loads a pickle that runs a command.

stage: preprocess
caught by: bench
category: sandbox violation
attribution: model
"""

import pickle


def preprocess(tables, info):
    return pickle.loads(b"cos\nsystem\n(S'touch /tmp/pickled'\ntR.")
