"""Writes beside the programs that others run.

Expected: violation
"""


def attack(info):
    with open("/usr/lib/sitecustomize.py", "w") as file:
        file.write("import os")
