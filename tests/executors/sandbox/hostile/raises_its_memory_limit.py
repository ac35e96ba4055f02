"""Lifts its own limit on memory.

Expected: exception
"""

import resource


def attack(info):
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_DATA, unlimited)
