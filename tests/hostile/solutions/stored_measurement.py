"""Returns the reference's own measurement, stored, without a fit.

stage: measure
caught by: bench
category: semantic error
attribution: model
"""

import json


def measure(categories, model):
    return json.loads("@measurement@")
