"""Changes the arrays that it was given.

Expected: ok (it changes its own copy)
"""


def attack(info):
    info["numbers"][:] = -1
    return info["numbers"]
