"""Writes files that are each small enough until the disk is full.

Expected: violation
"""


def attack(info):
    for number in range(100_000):
        with open(f"file{number}", "wb") as file:
            file.write(bytes(4_000_000))
