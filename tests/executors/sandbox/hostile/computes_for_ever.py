"""Uses the processor for ever.

Expected: cpu
"""


def attack(info):
    while True:
        pass
