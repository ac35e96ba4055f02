"""Returns many megabytes of text, which as objects would fill the host's memory.

Expected: exception (ReturnTypeError)
"""


def attack(info):
    return ["x" * 1000] * 10_000
