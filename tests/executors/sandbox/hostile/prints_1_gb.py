"""Prints a gigabyte.

Expected: output_limit
Plain: output_limit
"""


def attack(info):
    for _ in range(1000):
        print("x" * 1_000_000)
