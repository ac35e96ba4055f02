"""Returns a list that contains itself.

Expected: exception (ReturnTypeError)
"""


def attack(info):
    endless = []
    endless.append(endless)
    return endless
