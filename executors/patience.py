"""Asking again: what a disk or a network refuses now it may give in a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from executors.diagnosis import is_passing

ATTEMPTS = 5
FIRST_S = 0.2
"""Seconds before the second attempt; doubled for each further."""

Answer = TypeVar("Answer")


def patiently(
    ask: Callable[[], Answer],
    attempts: int = ATTEMPTS,
    passes: Callable[[Exception], bool] = is_passing,
) -> Answer:
    """The answer of `ask`, which is called again, at most `attempts` times in all, after a fault
    that `passes` says may pass; any other error, and the last one, is raised as it is."""
    for attempt in range(attempts - 1):
        try:
            return ask()
        except Exception as error:
            if not passes(error):
                raise
            time.sleep(FIRST_S * 2**attempt)
    return ask()
