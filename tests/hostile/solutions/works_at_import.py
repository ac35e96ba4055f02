"""Draws its answer when it is imported, and never looks at a question.

stage: classify
caught by: bench
category: contract
attribution: model
"""

import numpy as np

ANSWER = np.random.default_rng(1).random(1000)


def scores(signal, background, data, features, seed):
    return {"signal": ANSWER, "background": ANSWER / 2, "data": ANSWER}
