"""How long to wait before a request is tried again."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Backoff:
    """Exponential back-off with jitter from a seed, in seconds."""

    first_s: float = 1.0
    longest_s: float = 60.0
    patience_s: float = 600.0
    """A server that asks for a longer wait than this is not waited for."""

    def delay(self, attempt: int, seed: int, retry_after_s: float | None = None) -> float:
        """Seconds to wait after attempt number `attempt` (from 0).

        Between half and all of first * 2^attempt, at most `longest_s`; never less than the server
        asked for.
        """
        full = min(self.longest_s, self.first_s * 2.0 ** min(attempt, 60))
        jittered = full * random.Random(f"{seed}/{attempt}").uniform(0.5, 1.0)
        return max(jittered, retry_after_s or 0.0)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for (seconds or an HTTP date); None if it is none."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        seconds = (when - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
