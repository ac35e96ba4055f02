"""Raises classes named like our sandbox's own errors.

stage: preprocess
caught by: bench
category: other
attribution: model
"""


class SandboxStartError(Exception):
    """Named like ours."""

    attribution = "infrastructure"


def preprocess(tables, info):
    raise type("ProcessDiedError", (SandboxStartError,), {})("bubblewrap started no process")
