"""Draws its folds by the clock.

stage: classify
caught by: judge
category: not deterministic
attribution: model
"""

import time

from tests.hostile.honest.classify import scores as honest


def scores(signal, background, data, features, seed):
    shift = time.time_ns() // 1000
    moved = [table.assign(event_number=table.event_number + shift) for table in
             (signal, background, data)]  # fmt: skip
    return honest(*moved, features, seed)
