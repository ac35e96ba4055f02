"""Returns a stored measurement with a number of 400 digits in it.

stage: measure
caught by: bench
category: contract
attribution: model
"""

import json


def measure(categories, model):
    found = json.loads("@measurement@")
    found["cross_section_pb"] = 10**400
    return found
