"""Loads a pickle that runs a command.

Expected: violation
"""

import pickle


def attack(info):
    return pickle.loads(b"cos\nsystem\n(S'touch /tmp/pickled'\ntR.")
