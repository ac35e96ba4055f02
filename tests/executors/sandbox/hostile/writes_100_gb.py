"""Writes one file of 100 GB.

Expected: violation
Plain: violation
"""


def attack(info):
    with open("large", "wb") as file:
        for _ in range(100_000):
            file.write(bytes(1_000_000))
