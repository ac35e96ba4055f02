"""Gives itself more processor time than it was given, and uses it.

Expected: cpu
"""

import resource


def attack(info):
    resource.setrlimit(resource.RLIMIT_CPU, (10_000, resource.RLIM_INFINITY))
    while True:
        pass
