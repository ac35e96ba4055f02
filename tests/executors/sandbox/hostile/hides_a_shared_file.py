"""Keeps a file where it outlives its process.

Expected: ok (the folder is the sandbox's own and goes with it)
Plain: violation
"""


def attack(info):
    with open("/dev/shm/ladon-left-over", "w") as file:
        file.write("x")
